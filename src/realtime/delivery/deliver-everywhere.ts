import { Server } from 'socket.io';
import { groupIdOf } from '../../protocol/envelope.ts';
import { type NodeNewsHandlers, sendOverNodeBus } from '../cluster/node-bus-adapter.ts';
import type { NodeBus } from '../cluster/node-bus.ts';
import type { ChatServer } from '../connection/connection.ts';
import { groupRoom, userRoom } from '../rooms/rooms.ts';
import type { Delivery } from './delivery.ts';
import { moveOf } from './what-sockets-hear.ts';
import type { Send } from './write-frames.ts';

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
  return {
    prepare: () => undefined,

    roster(event) {
      const groupId = groupIdOf(event);
      const userId = moveOf(event)?.userId;
      const news = { groupId, revision: event.revision, ...(userId !== undefined && { userId }) };
      io.serverSideEmit('roster', news);
      here?.roster(news);
    },

    group(groupId, name, envelope, needs) {
      send({ data: [name, envelope] }, { rooms: new Set([groupRoom(groupId)]), flags: { needs } });
    },

    uploader(userId, news) {
      send({ data: ['fileStatusChanged', news] }, { rooms: new Set([userRoom(userId)]) });
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
  const send = sendOverNodeBus(adapter, { write: nothing, handlers: { roster: nothing, progress: nothing } });
  return {
    delivery: deliverEverywhere({ io, bus, send }),
    async close() {
      await adapter.close();
    },
  };
}
