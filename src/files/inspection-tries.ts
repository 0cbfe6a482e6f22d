import type { FileId } from '../events/ids.ts';

/** The port of the count of inspections that were begun and came to no end by the file's own doing. It survives a crash. */
export interface InspectionTries {
  /** Counts one more; answers with how many there are now. */
  begin(fileId: FileId): Promise<number>;
  /** Takes one back: something else was to blame. */
  takeBack(fileId: FileId): Promise<void>;
  /** The file is settled. */
  forget(fileId: FileId): Promise<void>;
}
