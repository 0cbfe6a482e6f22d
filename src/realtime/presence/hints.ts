import type { Reading } from '../../commands/read-marker/move-read-marker.ts';
import type { GroupId, UserId } from '../../events/ids.ts';
import type { ChatServer } from '../connection/connection.ts';
import { EVENT_TYPE, type FanOut } from '../delivery/fan-out.ts';
import { type HintName, hintBudgets } from './hint-budgets.ts';
import { presenceHints } from './presence-hints.ts';
import type { ServerToClientEvents } from '../connection/protocol.ts';
import { groupRoom, userRoom } from '../rooms/rooms.ts';
import type { Users } from './users.ts';

type Write = ReturnType<ChatServer['of']>['adapter']['broadcast'];
type Options = Parameters<Write>[1];
type Told<N extends HintName> = Parameters<ServerToClientEvents[N]>[0];

/** Readers of one room whose receipts wait; of more the oldest are lost, as hints may be. */
const MAX_WAITING = 100;

/** What marks a hint among the flags of a packet, which Socket.IO hands on as they are, to other nodes as well. */
interface Flags {
  volatile?: boolean | undefined;
  hint?: { name: HintName; userId: UserId; online?: boolean | undefined };
}

export interface Hints {
  /** Writes to the sockets of this node; of hints as many as their rooms bear. */
  write: Write;
  /** Tells a group how far somebody has read; `from` is the socket that says so, which does not hear it. */
  read(reading: Reading, from?: string): void;
  typing(typing: Told<'typing'>, from: string): void;
  /** Tells the others in some groups that a user has come or gone. */
  presence(userId: UserId, online: boolean, groupIds: readonly GroupId[]): void;
}

/**
 * Everybody in a room who reads, types, comes or goes tells everybody in it: together that grows with the square of the room.
 * Each node bounds what a room costs in frames. A user's own sockets hear at once what another of them has read; others hear
 * the latest as soon as it is its turn, and of typing what there is room for.
 */
export function createHints(io: ChatServer, users: Users, write: FanOut): Hints {
  const { adapter } = io.of('/');
  const budgets = hintBudgets(io);
  const tellPresence = presenceHints(budgets, write);

  function tellOwn(userId: UserId, room: string, packet: Parameters<Write>[0], opts: Options): void {
    const own = [...(users.find(userId)?.sockets ?? [])].filter(({ rooms }) => rooms.has(room));
    if (own.length > 0) write(packet, { ...opts, rooms: new Set(own.map(({ id }) => id)) });
  }

  function emit<N extends HintName>(
    name: N,
    payload: Told<N>,
    groupIds: readonly string[],
    except: string | undefined,
    { volatile, online }: { volatile?: boolean; online?: boolean } = {},
  ): void {
    const hint = { name, userId: payload.userId as UserId, online };
    const flags: Flags = { volatile, hint };
    const rooms = new Set(groupIds.map(groupRoom));
    const opts = { rooms, except: new Set(except === undefined ? [] : [except]), flags } as Options;
    adapter.broadcast({ type: EVENT_TYPE, data: [name, payload] }, opts);
  }

  return {
    write(packet, opts) {
      const { hint, volatile } = (opts.flags ?? {}) as Flags;
      const [room] = opts.rooms;
      if (!hint || room === undefined) return void write(packet, opts);
      const { name, userId, online = false } = hint;
      if (name === 'presence') return tellPresence(packet, opts, userId, online);
      if (budgets.take(room, name)) return void write(packet, opts);
      if (volatile) return;
      tellOwn(userId, room, packet, opts);
      const except = new Set([...(opts.except ?? []), userRoom(userId)]);
      budgets.share(room, name, userId, () => write(packet, { ...opts, except }), MAX_WAITING);
    },
    read: (reading, from) => emit('messagesRead', reading, [reading.groupId], from),
    typing: (typing, from) => emit('typing', typing, [typing.groupId], from, { volatile: true }),
    presence: (userId, online, groupIds) =>
      emit('presence', { userId, online }, groupIds, userRoom(userId), { online }),
  };
}
