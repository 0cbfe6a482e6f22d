import type { FileId, GroupId, UserId } from '../events/ids.ts';

/** The data by which an upload counts: `size` is the declared one. */
export interface UploadToCount {
  fileId: FileId;
  userId: UserId;
  groupId: GroupId;
  size: number;
}

/** The port of the sums of bytes: of a user in a day of UTC, and of a group. Shared by all processes. */
export interface UploadQuotas {
  /**
   * Counts a file unless a sum would pass its limit; resolves with that sum then. A file counts once, however
   * often it is asked for.
   */
  reserve(upload: UploadToCount): Promise<'reserved' | 'user' | 'group'>;
  /** Marks the file as known to the log. */
  confirm(fileId: FileId): Promise<void>;
  /** Releases the share of a file. May be repeated. */
  release(fileId: FileId): Promise<void>;
  /** Releases what was reserved before then and never became a file because its request was interrupted. */
  releaseUnconfirmed(before: Date): Promise<void>;
}

const DAY_MS = 86_400_000;

/** Returns the time until the sums of users restart, in milliseconds. */
export const untilNextDay = (now: number): number => DAY_MS - (now % DAY_MS);
