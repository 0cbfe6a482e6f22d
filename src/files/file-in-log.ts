import { type File, fileOf } from '../commands/file/file.ts';
import type { Request } from '../commands/handle-command.ts';
import type { EventStore, Recorded } from '../events/event-store.ts';
import type { FileId } from '../events/ids.ts';
import { requireKnown } from '../events/stored-events.ts';

export type ScanningFile = Extract<File, { status: 'scanning' }>;

/** The current state of a file in the log, and the event that led to it, which causes what comes next. */
export type FileInLog<F extends File = Exclude<File, { status: 'none' }>> = { file: F; cause: Recorded };

/**
 * Resolves with undefined for a file that was never asked for. A file has at most four events, so nothing is
 * cached.
 */
export async function fileInLog(
  store: Pick<EventStore, 'readStream'>,
  fileId: FileId,
): Promise<FileInLog | undefined> {
  const { stream, aggregate } = fileOf(fileId);
  const events = await store.readStream(stream);
  requireKnown(events);
  const file = events.reduce((state, event) => aggregate.evolve(state, event as never), aggregate.initial);
  const cause = events.at(-1);
  return cause === undefined || file.status === 'none' ? undefined : { file, cause };
}

export const isScanning = (found: FileInLog | undefined): found is FileInLog<ScanningFile> =>
  found?.file.status === 'scanning';

/**
 * Returns a request of the system that an event causes. Handled twice for the same event, its command counts
 * once in the log.
 */
export const because = ({ id, metadata }: Recorded): Request => ({
  actor: 'system',
  correlationId: metadata.correlationId,
  causationId: id,
});
