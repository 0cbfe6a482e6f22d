import type { UserId } from '../../events/ids.ts';
import type { Packet, Target, WriteFrames } from '../delivery/wire.ts';
import { FRAMES, type HintBudgets } from './hint-budgets.ts';
import { TokenBuckets } from '../../kit/token-bucket.ts';

/** In a room of more sockets than this, arrivals may be left out. */
const LARGE_ROOM = 200;

/** The arrival or departure of a user, and the rooms that have not got it yet. */
interface News {
  packet: Packet;
  target: Target;
  online: boolean;
  unannounced: Set<string>;
  /** Runs while the user has used up its frames. */
  timer: NodeJS.Timeout | undefined;
}

export type WritePresence = (packet: Packet, target: Target, userId: UserId, online: boolean) => void;

/**
 * Returns the function that writes the arrival or departure of a user to the sockets of all its rooms: once
 * to each socket, as long as the user and the rooms have frames left. A later change replaces a waiting one,
 * so each room gets the last state. A user has frames of its own, because it may come and go in a thousand
 * small rooms.
 */
export function presenceHints(budgets: HintBudgets, write: WriteFrames): WritePresence {
  const frames = new TokenBuckets(FRAMES);
  const pending = new Map<UserId, News>();

  function forgetAnnounced(userId: UserId, news: News): void {
    if (news.unannounced.size === 0 && !news.timer && pending.get(userId) === news) pending.delete(userId);
  }

  function announceToRoom(room: string, userId: UserId, news: News): void {
    if (news.unannounced.delete(room)) write(news.packet, { ...news.target, rooms: new Set([room]) });
    forgetAnnounced(userId, news);
  }

  function announce(userId: UserId, news: News): void {
    const { packet, target, online, unannounced } = news;
    const rooms = new Set<string>();
    for (const room of unannounced) {
      if (budgets.take(room, 'presence')) rooms.add(room);
      // No departure is left out: otherwise a user would be shown as online for ever.
      else if (!online || budgets.sizeOf(room) <= LARGE_ROOM) {
        budgets.share(room, 'presence', userId, () => announceToRoom(room, userId, news));
        continue;
      }
      unannounced.delete(room);
    }
    const written = rooms.size > 0 ? write(packet, { ...target, rooms }) : 0;
    if (written > 0) frames.take(userId, written);
    forgetAnnounced(userId, news);
  }

  function announceWhenDue(userId: UserId, news: News): void {
    const ms = frames.emptyMs(userId);
    news.timer = ms > 0 ? setTimeout(announceWhenDue, Math.max(1, ms), userId, news).unref() : undefined;
    if (!news.timer) announce(userId, news);
  }

  return (packet, target, userId, online) => {
    const known = pending.get(userId);
    const last = { packet, target, online, unannounced: new Set(target.rooms) };
    const news = known ? Object.assign(known, last) : { ...last, timer: undefined };
    pending.set(userId, news);
    if (!news.timer) announceWhenDue(userId, news);
  };
}
