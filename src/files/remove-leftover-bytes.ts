import type { EventType } from '../events/domain-event.ts';
import type { Position, Recorded } from '../events/event-store.ts';
import { type FileStorage, storageKey } from './storage.ts';
import type { UploadQuotas } from './upload-quotas.ts';

/** The events that leave bytes behind. */
export const TIDIED: readonly EventType[] = ['FileCleared', 'FileRefused'];

/**
 * Removes objects that are no longer needed, according to the log: the quarantined bytes of a cleared file,
 * and everything of a refused one, which no longer counts against the quotas either. Run it from a follower
 * of the log with a checkpoint of its own, so that what a crash prevented happens later; repeating it is
 * safe. Resolves with the position of the last relevant event, 0 if there was none.
 */
export const removeLeftoverBytes =
  (storage: Pick<FileStorage, 'remove'>, quotas: Pick<UploadQuotas, 'release'>) =>
  async (events: readonly Recorded[]): Promise<Position> => {
    let done: Position = 0;
    for (const { type, data, position } of events) {
      if (type === 'FileCleared') {
        await storage.remove([storageKey('quarantine', data.fileId)]);
      } else if (type === 'FileRefused') {
        // The source first: a copy that is being made of it then fails instead of reappearing.
        await storage.remove([storageKey('quarantine', data.fileId)]);
        await storage.remove([storageKey('clean', data.fileId), storageKey('thumbnails', data.fileId)]);
        await quotas.release(data.fileId);
      } else continue;
      done = position;
    }
    return done;
  };
