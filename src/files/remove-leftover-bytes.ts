import type { EventType } from '../events/domain-event.ts';
import type { Position, Recorded } from '../events/event-store.ts';
import { type FileStorage, storageKey } from './storage.ts';
import type { UploadQuotas } from './upload-quotas.ts';

/** What leaves something behind. */
export const TIDIED: readonly EventType[] = ['FileCleared', 'FileRefused'];

/**
 * Removes from storage what the log says is not needed there: the quarantined bytes of a file that was cleared, and
 * everything of one that was refused, which no longer counts against the quotas either. To be run by a follower of the log with a checkpoint of its own, so that what a
 * crash prevented happens later; doing it again is no fault. Answers with the position of the last event that mattered,
 * 0 if none did.
 */
export const removeLeftoverBytes =
  (storage: Pick<FileStorage, 'remove'>, quotas: Pick<UploadQuotas, 'release'>) =>
  async (events: readonly Recorded[]): Promise<Position> => {
    let done: Position = 0;
    for (const { type, data, position } of events) {
      if (type === 'FileCleared') {
        await storage.remove([storageKey('quarantine', data.fileId)]);
      } else if (type === 'FileRefused') {
        // The source first: a copy that is being made of it right now then fails, rather than come back.
        await storage.remove([storageKey('quarantine', data.fileId)]);
        await storage.remove([storageKey('clean', data.fileId), storageKey('thumbnails', data.fileId)]);
        await quotas.release(data.fileId);
      } else continue;
      done = position;
    }
    return done;
  };
