import type { Logger } from 'pino';
import { closeRoom } from '../commands/chat-group/close-room.ts';
import type { HandleCommand } from '../commands/handle-command.ts';
import { CommandRejected } from '../commands/rejection.ts';
import type { GroupId, JobId, UserId } from '../events/ids.ts';
import { sleep } from '../kit/back-off.ts';
import { reasonOf } from '../kit/reason.ts';

/** A thread, or with `applicantId` null the room of a job's team. */
export interface Room {
  groupId: GroupId;
  jobId: JobId;
  applicantId: UserId | null;
}

/** The port that finds rooms whose time is over. It may lag behind the log, and the command looks again. */
export interface Rooms {
  /** Resolves with open rooms that should have closed by now, at most `limit`. */
  overdue(now: Date, limit: number): Promise<Room[]>;
}

const EVERY_MS = 5_000;
const LIMIT = 200;

/**
 * Closes threads and team rooms some time after their applications were decided, or their jobs closed. What fails is
 * logged and tried again in the next round.
 */
export function startClosingRooms({
  rooms,
  handle,
  newId,
  log,
  now = () => new Date(),
  everyMs = EVERY_MS,
}: {
  rooms: Rooms;
  handle: HandleCommand;
  newId: () => string;
  log: Logger;
  now?: () => Date;
  everyMs?: number;
}): { failure(): string | undefined; stop(): Promise<void> } {
  const stopping = new AbortController();
  const { signal } = stopping;
  let failure: string | undefined;

  async function close(room: Room): Promise<void> {
    try {
      await handle(closeRoom, room, { actor: 'system', correlationId: newId() });
    } catch (err) {
      // A damaged stream must not keep the others open.
      if (!(err instanceof CommandRejected)) throw err;
      log.warn({ err, groupId: room.groupId }, 'a room could not be closed; it stays open');
    }
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      try {
        for (const room of await rooms.overdue(now(), LIMIT)) {
          if (signal.aborted) return;
          await close(room);
        }
        failure = undefined;
      } catch (err) {
        failure = reasonOf(err);
        log.warn({ err }, `rooms could not be closed; retrying in ${everyMs / 1_000} s`);
      }
      await sleep(everyMs, signal, { ref: false });
    }
  }

  const ended = run();
  return {
    failure: () => failure,
    stop: () => {
      stopping.abort();
      return ended;
    },
  };
}
