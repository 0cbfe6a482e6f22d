import type { Logger } from 'pino';
import type { Position } from '../../events/event-store.ts';
import type { UserId } from '../../events/ids.ts';
import { createThrottle } from '../../kit/throttle.ts';
import { type Progress, caughtUp } from '../../projections/projection.ts';
import type { Profile } from '../../queries/profile.ts';
import type { ChatServer } from '../connection/connection.ts';
import { createLane } from '../delivery/lane.ts';
import type { Packet, WriteFrames } from '../delivery/wire.ts';
import { groupRoom, userRoom } from '../rooms/rooms.ts';
import { FRAMES } from './hint-budgets.ts';

/** Number of users whose news wait. Beyond it the oldest are lost, as hints may be. */
const MOST_WAITING = 1_000;
/** Number of sockets that are written to in one turn of the event loop. */
const PIECE = 100;

/** A user whose name may have changed. */
export interface Renamed {
  userId: UserId;
  position: Position;
}

interface ProfileDeps {
  io: ChatServer;
  queries: { profileOf: (userId: UserId) => Promise<Profile | null> };
  progress: Pick<Progress, 'reached'>;
  /** Writes to the sockets of this node. */
  write: WriteFrames;
  signal: AbortSignal;
  log: Logger;
}

/**
 * Returns the function that tells the sockets of this node the new name of somebody whom they see in a list of members:
 * once each, and so many a second in all.
 */
export function tellProfiles({ io, queries, progress, write, signal, log }: ProfileDeps) {
  const { adapter } = io.of('/');
  const throttle = createThrottle(FRAMES.perSecond);

  /** Yields the sockets that are in the rooms when it comes to them, each once. */
  function* socketsIn(rooms: Iterable<string>): Generator<string> {
    const met = new Set<string>();
    for (const room of rooms)
      for (const id of adapter.rooms.get(room) ?? []) {
        if (met.has(id)) continue;
        met.add(id);
        yield id;
      }
  }

  async function tell(userId: UserId, position: Position): Promise<void> {
    if (adapter.sids.size === 0) return;
    await caughtUp(progress, position, ['accounts', 'chat_groups']);
    const profile = await queries.profileOf(userId);
    if (!profile) return;
    const { displayName, groupIds } = profile;
    const packet: Packet = { data: ['profileChanged', { userId, displayName }] };
    let piece = new Set<string>();
    for (const id of socketsIn([userRoom(userId), ...groupIds.map(groupRoom)])) {
      piece.add(id);
      if (piece.size < PIECE) continue;
      if (signal.aborted) return;
      write(packet, { rooms: piece });
      await throttle(piece.size);
      piece = new Set();
    }
    if (piece.size > 0) write(packet, { rooms: piece });
  }

  const later = createLane<UserId, Position>({
    most: MOST_WAITING,
    work: tell,
    failed: (err) => log.warn({ err }, 'a new name is not known; clients learn it when they ask'),
  });
  return ({ userId, position }: Renamed): void => later(userId, position);
}
