import type { Reading } from '../commands/read-marker/move-read-marker.ts';
import type { UserId } from '../events/ids.ts';
import type { ChatServer } from './connection.ts';
import { EVENT_TYPE } from './fan-out.ts';
import type { ServerToClientEvents } from './protocol.ts';
import { groupRoom, userRoom } from './rooms.ts';
import { TokenBucket } from './token-bucket.ts';
import type { Users } from './users.ts';

type Write = ReturnType<ChatServer['of']>['adapter']['broadcast'];
type Options = Parameters<Write>[1];
type Typing = Parameters<ServerToClientEvents['typing']>[0];

/** In a room of so few sockets, which may all be one user's, a hint costs no more than what it tells of. */
const SMALL_ROOM = 20;
/** What hints of one kind may take in a larger room: ten hints a second at 200 sockets, five at 400. */
const FRAMES = { perSecond: 2_000, burst: 2_000 };
/** Readers of one room whose receipts wait; of more the oldest are lost, as hints may be. */
const MAX_WAITING = 100;

/** What marks a hint among the flags of a packet, which Socket.IO hands on as they are, to other nodes as well. */
interface Flags {
  volatile?: boolean;
  hint?: { name: 'messagesRead' | 'typing'; userId: UserId };
}

export interface Hints {
  /** Writes to the sockets of this node; of hints as many as their rooms bear. */
  write: Write;
  /** Tells a group how far somebody has read; `from` is the socket that says so, which does not hear it. */
  read(reading: Reading, from?: string): void;
  typing(typing: Typing, from: string): void;
}

/** Hints of one kind in one room. */
interface Traffic {
  /** Frames that may be written now. A hint takes one for each socket of the room. */
  frames: TokenBucket;
  /** By whose they are, so that a later receipt takes the place of an earlier one. */
  waiting: Map<UserId, () => void>;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Everybody in a room who reads or types tells everybody in it: together that grows with the square of the room. Each node
 * bounds what a room costs in frames. A user's own sockets hear at once what another of them has read; others hear the
 * latest as soon as it is its turn, and of typing what there is room for.
 */
export function createHints(io: ChatServer, users: Users, write: Write): Hints {
  const { adapter } = io.of('/');
  const traffics = new Map<string, Map<string, Traffic>>();
  adapter.on('delete-room', (room: string) => {
    for (const { timer } of traffics.get(room)?.values() ?? []) clearTimeout(timer);
    traffics.delete(room);
  });

  function trafficOf(room: string, name: string): Traffic {
    const kinds = traffics.get(room) ?? new Map<string, Traffic>();
    const traffic = kinds.get(name) ?? {
      frames: new TokenBucket(FRAMES),
      waiting: new Map(),
      timer: undefined,
    };
    traffics.set(room, kinds.set(name, traffic));
    return traffic;
  }

  const sizeOf = (room: string) => adapter.rooms.get(room)?.size ?? 0;

  function flush(room: string, traffic: Traffic): void {
    traffic.timer = undefined;
    for (const [userId, tell] of traffic.waiting) {
      if (!traffic.frames.take(sizeOf(room))) break;
      traffic.waiting.delete(userId);
      tell();
    }
    if (traffic.waiting.size > 0) flushLater(room, traffic);
  }

  function flushLater(room: string, traffic: Traffic): void {
    traffic.timer ??= setTimeout(flush, Math.max(1, traffic.frames.emptyMs()), room, traffic).unref();
  }

  function tellOwn(userId: UserId, room: string, packet: Parameters<Write>[0], opts: Options): void {
    const own = [...(users.find(userId)?.sockets ?? [])].filter(({ rooms }) => rooms.has(room));
    if (own.length > 0) write(packet, { ...opts, rooms: new Set(own.map(({ id }) => id)) });
  }

  function emit<N extends 'messagesRead' | 'typing'>(
    name: N,
    payload: Parameters<ServerToClientEvents[N]>[0],
    from: string | undefined,
    flags: Flags,
  ): void {
    const rooms = new Set([groupRoom(payload.groupId)]);
    const except = new Set(from === undefined ? [] : [from]);
    const hint = { name, userId: payload.userId as UserId };
    const opts = { rooms, except, flags: { ...flags, hint } } as Options;
    adapter.broadcast({ type: EVENT_TYPE, data: [name, payload] }, opts);
  }

  return {
    write(packet, opts) {
      const { hint, volatile } = (opts.flags ?? {}) as Flags;
      const [room] = opts.rooms;
      const size = room === undefined ? 0 : sizeOf(room);
      if (!hint || room === undefined || size <= SMALL_ROOM) return write(packet, opts);
      const { name, userId } = hint;
      const traffic = trafficOf(room, name);
      if (traffic.waiting.size === 0 && traffic.frames.take(size)) return write(packet, opts);
      if (volatile) return;
      tellOwn(userId, room, packet, opts);
      const except = new Set([...(opts.except ?? []), userRoom(userId)]);
      traffic.waiting.set(userId, () => write(packet, { ...opts, except }));
      const [oldest] = traffic.waiting.keys();
      if (traffic.waiting.size > MAX_WAITING && oldest !== undefined) traffic.waiting.delete(oldest);
      flushLater(room, traffic);
    },
    read: (reading, from) => emit('messagesRead', reading, from, {}),
    typing: (typing, from) => emit('typing', typing, from, { volatile: true }),
  };
}
