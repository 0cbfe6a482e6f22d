import type { UserId } from '../../events/ids.ts';
import type { ChatServer } from '../connection/connection.ts';
import type { HintName } from '../delivery/wire.ts';
import { TokenBucket } from '../../kit/token-bucket.ts';

/** In a room of at most this many sockets, which may all be one user's, hints are not limited. */
const SMALL_ROOM = 20;
/** The frames of one kind of hint in a larger room: ten hints a second at 200 sockets, five at 400. */
export const FRAMES = { perSecond: 2_000, burst: 2_000 };

export interface HintBudgets {
  /** Returns the number of sockets of a room on this node. */
  sizeOf(room: string): number;
  /**
   * Takes the frames of a hint for a room. Returns false, and takes none, when other hints wait or too few
   * are left.
   */
  take(room: string, name: HintName): boolean;
  /**
   * Calls `write` once the frames have been taken, or the room has gone. It replaces a waiting hint of the
   * same user. When more than `most` users wait, the oldest hint is lost.
   */
  share(room: string, name: HintName, userId: UserId, write: () => void, most?: number): void;
}

/** Hints of one kind in one room. */
interface Traffic {
  /** Frames that may be written now. A hint takes one for each socket of the room. */
  frames: TokenBucket;
  /** Waiting hints by user, so that a later hint replaces an earlier one. */
  waiting: Map<UserId, () => void>;
  timer: NodeJS.Timeout | undefined;
}

/** Limits the frames that the hints of each kind cost each room of this node. */
export function hintBudgets(io: ChatServer): HintBudgets {
  const { adapter } = io.of('/');
  const traffics = new Map<string, Map<HintName, Traffic>>();
  adapter.on('delete-room', (room: string) => {
    const kinds = traffics.get(room);
    traffics.delete(room);
    for (const { timer, waiting } of kinds?.values() ?? []) {
      clearTimeout(timer);
      for (const write of waiting.values()) write();
    }
  });

  function trafficOf(room: string, name: HintName): Traffic {
    const kinds = traffics.get(room) ?? new Map<HintName, Traffic>();
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
    for (const [userId, write] of traffic.waiting) {
      if (!traffic.frames.take(sizeOf(room))) break;
      traffic.waiting.delete(userId);
      write();
    }
    if (traffic.waiting.size > 0) flushLater(room, traffic);
  }

  function flushLater(room: string, traffic: Traffic): void {
    traffic.timer ??= setTimeout(flush, Math.max(1, traffic.frames.emptyMs()), room, traffic).unref();
  }

  return {
    sizeOf,

    take(room, name) {
      const size = sizeOf(room);
      // A room that was larger before may have waiting hints, which must not be sent after newer ones.
      if (size <= SMALL_ROOM && !traffics.has(room)) return true;
      const { waiting, frames } = trafficOf(room, name);
      return waiting.size === 0 && frames.take(size);
    },

    share(room, name, userId, write, most = Infinity) {
      const traffic = trafficOf(room, name);
      const { waiting } = traffic;
      waiting.set(userId, write);
      const [oldest] = waiting.keys();
      if (waiting.size > most && oldest !== undefined) waiting.delete(oldest);
      flushLater(room, traffic);
    },
  };
}
