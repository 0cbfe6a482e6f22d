import type { Logger } from 'pino';
import { sleep } from '../kit/back-off.ts';
import { refuseFile } from '../commands/file/refuse-file.ts';
import type { HandleCommand } from '../commands/handle-command.ts';
import { CommandRejected } from '../commands/rejection.ts';
import type { EventStore } from '../events/event-store.ts';
import type { FileId } from '../events/ids.ts';
import { because, fileInLog } from './file-in-log.ts';
import type { FileStorage } from './storage.ts';
import type { UploadQuotas } from './upload-quotas.ts';

const HOUR_MS = 3_600_000;
const EVERY_MS = 600_000;
/**
 * One hour after the last moment at which a message may name the file for the first time, see `sendBy` of
 * FileUploadRequested.
 */
const ORPHANED_AFTER_MS = 24 * HOUR_MS;
/** Anything older in quarantine belongs to no file: refused files are gone an hour before. */
const SWEPT_AFTER_MS = 25 * HOUR_MS;
/** Longer than any request takes. */
const UNCONFIRMED_AFTER_MS = HOUR_MS;
/** Number of files in one run; the next run continues. */
const LIMIT = 1_000;

export interface Orphan {
  fileId: FileId;
  /** `pending` was never completed; `clean` was never sent. */
  status: string;
}

export interface OrphanJob {
  /** Does one run. Resolves with the number of refused files. */
  run(): Promise<number>;
  /** Runs at once, and then every ten minutes. A failed run is logged, and the next one makes up for it. */
  start(): void;
  /** Resolves when the current run has ended. */
  stop(): Promise<void>;
}

/**
 * Refuses files that were not completed, or not named by a message, within 24 h of being asked for. The log
 * records the refusal, and `tidy` removes the bytes. Then sweeps quarantine of objects that belong to no
 * file, unless files still wait there to be inspected: a scanner may be down for longer than that. Also
 * releases the quotas reserved by interrupted requests.
 */
export function createOrphanJob({
  store,
  orphans,
  waiting,
  isCaughtUp,
  handle,
  storage,
  quotas,
  log,
  now = () => new Date(),
  everyMs = EVERY_MS,
}: {
  store: Pick<EventStore, 'readStream'>;
  /** Resolves with the files asked for before that time that are pending, or clean and not named by any message. */
  orphans: (before: Date, limit: number) => Promise<readonly Orphan[]>;
  waiting: (limit: number) => Promise<readonly FileId[]>;
  /**
   * Resolves with true if the read model behind these two has the log up to now. While it lags, a sent file
   * may look like an orphan.
   */
  isCaughtUp: () => Promise<boolean>;
  handle: HandleCommand;
  storage: Pick<FileStorage, 'removeOlderThan'>;
  quotas: Pick<UploadQuotas, 'releaseUnconfirmed'>;
  log: Logger;
  now?: () => Date;
  everyMs?: number;
}): OrphanJob {
  const stopping = new AbortController();
  const { signal } = stopping;
  let running: Promise<void> | undefined;

  async function refuse({ fileId, status }: Orphan): Promise<boolean> {
    const found = await fileInLog(store, fileId);
    // The read model decided on this state. A file that has changed since is left alone.
    if (!found || found.file.status !== status) return false;
    const reason = status === 'pending' ? 'never-completed' : 'never-sent';
    try {
      await handle(refuseFile, { fileId, reason, signature: null }, because(found.cause));
      return true;
    } catch (error) {
      if (error instanceof CommandRejected) return false;
      throw error;
    }
  }

  async function run(): Promise<number> {
    const at = now().getTime();
    await quotas.releaseUnconfirmed(new Date(at - UNCONFIRMED_AFTER_MS));
    if (!(await isCaughtUp())) {
      log.warn('the read model of files is behind; orphaned files are removed later');
      return 0;
    }
    let refused = 0;
    for (const orphan of await orphans(new Date(at - ORPHANED_AFTER_MS), LIMIT)) {
      if (signal.aborted) break;
      if (await refuse(orphan)) refused += 1;
    }
    const isAnyWaiting = (await waiting(1)).length > 0;
    const swept = isAnyWaiting
      ? 0
      : await storage.removeOlderThan('quarantine', new Date(at - SWEPT_AFTER_MS));
    if (refused + swept > 0) log.info({ refused, swept }, 'removed orphaned files');
    return refused;
  }

  async function repeat(): Promise<void> {
    while (!signal.aborted) {
      await run().catch((err: unknown) => log.warn({ err }, 'could not remove orphaned files; retrying'));
      await sleep(everyMs, signal);
    }
  }

  return {
    run,
    start: () => void (running ??= repeat()),
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
