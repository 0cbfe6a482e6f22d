import type { FileId, GroupId, UserId } from '../events/ids.ts';

/** What an upload counts for: the size that was declared. */
export interface UploadToCount {
  fileId: FileId;
  userId: UserId;
  groupId: GroupId;
  size: number;
}

/** The port of the sums of bytes: of a user in a day of UTC, and of a group. The same for all processes. */
export interface UploadQuotas {
  /** Counts a file unless a sum would pass its limit, and names that one then. A file counts once, however often it is asked for. */
  reserve(upload: UploadToCount): Promise<'reserved' | 'user' | 'group'>;
  /** The log knows the file. */
  confirm(fileId: FileId): Promise<void>;
  /** Gives back what a file counts for; again is no fault. */
  release(fileId: FileId): Promise<void>;
  /** Gives back what was reserved before then, and never became a file because its request was cut short. */
  releaseUnconfirmed(before: Date): Promise<void>;
}

const DAY_MS = 86_400_000;

/** When the sums of users start anew, in milliseconds. */
export const untilNextDay = (now: number): number => DAY_MS - (now % DAY_MS);
