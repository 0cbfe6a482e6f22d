import type { FileId } from '../events/ids.ts';

/**
 * The port of the count of inspections that failed because of the file itself, or were interrupted. It
 * survives a crash.
 */
export interface InspectionTries {
  /** Counts one more. Resolves with the new count. */
  begin(fileId: FileId): Promise<number>;
  /** Takes one back, when something else was the cause. */
  takeBack(fileId: FileId): Promise<void>;
  /** Drops the count of a settled file. */
  forget(fileId: FileId): Promise<void>;
}
