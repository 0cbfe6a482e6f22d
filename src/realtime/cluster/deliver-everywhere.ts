import { Server } from 'socket.io';
import { z } from 'zod';
import type { Position } from '../../events/event-store.ts';
import { GroupId, MessageId, UserId } from '../../events/ids.ts';
import { isUnknown } from '../../events/stored-events.ts';
import { groupIdOf } from '../../protocol/envelope.ts';
import type { ChatServer } from '../connection/connection.ts';
import {
  type BroadcastProgress,
  type Delivery,
  isForStaff,
  moveOf,
  writeToGroup,
} from '../delivery/delivery.ts';
import { writeFileNews } from '../delivery/file-news.ts';
import { type Flags, type Send, textOf } from '../delivery/wire.ts';
import type { Renamed } from '../presence/profile.ts';
import type { Deleted } from '../presence/unread.ts';
import { userRoom } from '../rooms/rooms.ts';
import type { NodeBus } from './node-bus.ts';

/**
 * Messages between the nodes of a cluster besides packets for clients. They are never trusted: they only say
 * where to read the log.
 */
const nodeNews = {
  /** The roster of a group has reached a revision; `userId` is the user whom the change concerns. */
  roster: z.object({
    groupId: GroupId,
    userId: UserId.optional(),
    revision: z.int().min(0),
    /** True if it may concern anybody of the company. */
    isForStaff: z.boolean(),
  }),
  /** The people of a company have changed; `userId` is the user whom the change concerns. */
  staff: z.object({ companyId: UserId, userId: UserId.optional(), position: z.int().min(0) }),
  /** A message was deleted. */
  deleted: z.object({ groupId: GroupId, messageId: MessageId, position: z.int().min(0) }),
  /** The name of a user has changed. */
  renamed: z.object({ userId: UserId, position: z.int().min(0) }),
  /** See `BroadcastProgress` of the delivery. */
  told: z.object({ until: z.number(), leftOutUntil: z.number() }),
};

export type RosterNews = z.output<typeof nodeNews.roster>;
export type StaffNews = z.output<typeof nodeNews.staff>;

export interface NodeNewsHandlers {
  roster(news: RosterNews): void;
  staff(news: StaffNews): void;
  deleted(message: Deleted): void;
  renamed(user: Renamed): void;
  progress(progress: BroadcastProgress): void;
}

/**
 * The parts of Socket.IO's `ClusterAdapter` that are used besides its public side; version 2.5 of
 * socket.io-adapter.
 */
interface ClusterAdapter {
  publish(message: { type: number; data: object }): void;
  onMessage(message: Message): void;
}
/** A message that passes over the node bus. */
type Message = { nsp: string } & (
  | { type: typeof BROADCAST; data: { packet: { text: string }; opts: Options } }
  | { type: typeof SERVER_SIDE_EMIT; data: { packet: [string, ...unknown[]] } }
);
interface Options {
  rooms: string[];
  except: string[];
  flags?: Flags;
}

/** Two values of socket.io-adapter's `MessageType`. */
const BROADCAST = 3;
const SERVER_SIDE_EMIT = 9;

/**
 * Returns the function that sends to the sockets of all nodes. `write` reaches those of this node, for
 * packets from here and from other nodes. Only two of Socket.IO's messages between nodes are accepted, so
 * that a message on the bus cannot move or end sockets, or read their data.
 */
export function sendOverNodeBus(
  adapter: ReturnType<ChatServer['of']>['adapter'],
  { write, handlers }: { write: Send; handlers: NodeNewsHandlers },
): Send {
  const cluster = adapter as unknown as ClusterAdapter;

  cluster.onMessage = (message) => {
    if (message.nsp !== '/') return;
    if (message.type === BROADCAST) {
      const { packet, opts } = message.data;
      // No broadcast of this server is without a room.
      if (opts.rooms.length === 0) return;
      write(packet, { rooms: new Set(opts.rooms), except: new Set(opts.except), flags: { ...opts.flags } });
    } else if (message.type === SERVER_SIDE_EMIT) {
      const [name, payload] = message.data.packet;
      if (name === 'roster') handlers.roster(nodeNews.roster.parse(payload));
      else if (name === 'staff') handlers.staff(nodeNews.staff.parse(payload));
      else if (name === 'deleted') handlers.deleted(nodeNews.deleted.parse(payload));
      else if (name === 'renamed') handlers.renamed(nodeNews.renamed.parse(payload));
      else if (name === 'told') handlers.progress(nodeNews.told.parse(payload));
    }
  };

  return (packet, target) => {
    // Encoded once for all nodes.
    const encoded = { text: textOf(packet) };
    const { rooms, except = [], flags } = target;
    cluster.publish({
      type: BROADCAST,
      data: { packet: encoded, opts: { rooms: [...rooms], except: [...except], flags } },
    });
    write(encoded, target);
  };
}

interface Everywhere {
  io: ChatServer;
  bus: Pick<NodeBus, 'takenOver'>;
  /** Sends to the sockets of all nodes. */
  send: Send;
  /** Handles on this node the news that the other nodes get. */
  here?: NodeNewsHandlers;
}

/** Delivers to the sockets of all nodes. */
export function deliverEverywhere({ io, bus, send, here }: Everywhere): Delivery {
  let staff: Position = 0;
  return {
    // What another broadcaster told before may have been lost.
    begin: (after) => (staff = after),

    prepare: () => undefined,

    roster(event) {
      const groupId = groupIdOf(event);
      const userId = moveOf(event)?.userId;
      const news = {
        ...{ groupId, revision: event.revision, isForStaff: !isUnknown(event) && isForStaff(event) },
        ...(userId !== undefined && { userId }),
      };
      io.serverSideEmit('roster', news);
      here?.roster(news);
    },

    staff(change) {
      staff = change.position;
      io.serverSideEmit('staff', change);
      here?.staff(change);
    },

    group: (groupId, name, envelope, { needs, hiddenFrom }) =>
      writeToGroup(send, { groupId, name, envelope, hiddenFrom }, { needs, staff }),

    uploader(userId, news) {
      send({ data: ['fileStatusChanged', news] }, { rooms: new Set([userRoom(userId)]) });
    },

    members: (news, { needs, ...to }) => writeFileNews(send, news, to, { needs, staff }),

    deleted(message) {
      io.serverSideEmit('deleted', message);
      here?.deleted(message);
    },

    renamed(user) {
      io.serverSideEmit('renamed', user);
      here?.renamed(user);
    },

    progress(progress) {
      io.serverSideEmit('told', progress);
      here?.progress(progress);
    },

    takenOver: () => bus.takenOver(),
  };
}

/** The delivery of a process without sockets. */
export function createDeliveryServer(bus: NodeBus): { delivery: Delivery; close(): Promise<void> } {
  const io: ChatServer = new Server({ adapter: bus.adapter });
  const { adapter } = io.of('/');
  const nothing = () => {};
  const send = sendOverNodeBus(adapter, {
    write: nothing,
    handlers: { roster: nothing, staff: nothing, deleted: nothing, renamed: nothing, progress: nothing },
  });
  return {
    delivery: deliverEverywhere({ io, bus, send }),
    async close() {
      await adapter.close();
    },
  };
}
