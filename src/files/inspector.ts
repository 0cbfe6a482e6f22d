import type { Logger } from 'pino';
import { backOffMs, jittered, keepRunning, sleep } from '../kit/back-off.ts';
import { reasonOf } from '../kit/reason.ts';
import type { EventType } from '../events/domain-event.ts';
import type { EventStore, Position } from '../events/event-store.ts';
import type { FileId } from '../events/ids.ts';
import type { Claims } from './claims.ts';
import { type FileInLog, type ScanningFile, fileInLog, isScanning } from './file-in-log.ts';
import { CHANGED_SINCE, type Finding, INSPECTION_FAILED } from './inspect/finding.ts';
import type { InspectionTries } from './inspection-tries.ts';
import { BudgetExceeded } from './inspect/sandbox.ts';
import type { ApplyFinding } from './apply-finding.ts';
import { ObjectChanged } from './storage.ts';

const POLL_MS = 5_000;
const LINGER_MS = 100;
const UPLOADS: readonly EventType[] = ['FileUploaded'];
/** The oldest files first; the others follow as these are done. */
const POLL_LIMIT = 1_000;
/** Number of inspections that may fail because of the file itself. */
const MAX_TRIES = 3;
const DEADLINE_MS = 180_000;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 300_000;
/** Longer than an inspection takes when all is well. */
const OVERDUE_MS = 60_000;

interface Waiting {
  /** The time at which this process first learned of the file, by its monotonic clock. */
  since: number;
  failures: number;
  /** Set during the pause before the next attempt. */
  timer?: NodeJS.Timeout;
}

export interface Inspector {
  start(): Promise<void>;
  /** Stops running inspections without a decision. Resolves when they have ended. */
  stop(): Promise<void>;
  /** Returns how many files have waited for more than a minute, and why; undefined when there are none. */
  failure(): string | undefined;
}

/**
 * Inspects every uploaded file: at once when it learns of the upload, and by a poll for what a crash, a
 * failure or another process left behind. An inspection that fails for another reason than the file, such as
 * the scanner, decides nothing and is retried with growing pauses, for ever. One that fails because of the
 * file is repeated twice; then the file is refused.
 */
export function createInspector({
  store,
  waiting,
  claims,
  tries,
  inspect,
  applyFinding,
  log,
  concurrency = 4,
  pollMs = POLL_MS,
  deadlineMs = DEADLINE_MS,
  firstPauseMs = FIRST_PAUSE_MS,
  overdueMs = OVERDUE_MS,
}: {
  store: Pick<EventStore, 'subscribe' | 'head' | 'readStream'>;
  /** Resolves with the files that the read model lists as waiting, oldest first. */
  waiting: (limit: number) => Promise<readonly FileId[]>;
  claims: Claims;
  tries: InspectionTries;
  /** Inspects the bytes in quarantine, in the version that was completed. */
  inspect: (file: ScanningFile, signal: AbortSignal) => Promise<Finding>;
  applyFinding: ApplyFinding;
  log: Logger;
  /** Number of files inspected at once. More would not keep clamd busier, and would take more memory. */
  concurrency?: number;
  pollMs?: number;
  /** Time limit of one inspection. */
  deadlineMs?: number;
  firstPauseMs?: number;
  overdueMs?: number;
}): Inspector {
  const files = new Map<FileId, Waiting>();
  const queue: FileId[] = [];
  const running = new Set<Promise<void>>();
  const stopping = new AbortController();
  let lastError: Error | undefined;
  let followers: Promise<unknown> | undefined;

  function enqueue(fileId: FileId): void {
    if (files.has(fileId) || stopping.signal.aborted) return;
    files.set(fileId, { since: performance.now(), failures: 0 });
    queue.push(fileId);
    startNext();
  }

  function startNext(): void {
    while (running.size < concurrency && queue.length > 0 && !stopping.signal.aborted) {
      const attempt = work(queue.shift()!).finally(() => {
        running.delete(attempt);
        startNext();
      });
      running.add(attempt);
    }
  }

  async function work(fileId: FileId): Promise<void> {
    try {
      if (await attempt(fileId)) files.delete(fileId);
      else waitForNext(fileId);
    } catch (error) {
      if (stopping.signal.aborted) return;
      lastError = error instanceof Error ? error : new Error(reasonOf(error));
      const pauseMs = waitForNext(fileId);
      log.warn({ err: lastError, fileId, pauseMs }, 'could not inspect a file; retrying later');
    }
  }

  /** Resolves with true if the file is settled; false while another process has it. */
  async function attempt(fileId: FileId): Promise<boolean> {
    const release = await claims.claim(fileId);
    if (!release) return false;
    try {
      const found = await fileInLog(store, fileId);
      if (isScanning(found)) await decide(found);
      return true;
    } finally {
      await release();
    }
  }

  async function decide(found: FileInLog<ScanningFile>): Promise<void> {
    const { fileId } = found.file;
    const count = await tries.begin(fileId);
    try {
      if (count > MAX_TRIES)
        log.warn({ fileId }, 'a file cannot be inspected within its budget; refusing it');
      await applyFinding(found, count > MAX_TRIES ? INSPECTION_FAILED : await findingOf(found));
    } catch (error) {
      if (!(error instanceof BudgetExceeded)) await takeBack(fileId);
      throw error;
    }
    await tries.forget(fileId);
  }

  function takeBack(fileId: FileId): Promise<void> {
    return tries.takeBack(fileId).catch((err: unknown) => {
      log.warn(
        { err, fileId },
        'could not take back the attempt of an interrupted inspection; it counts against the file',
      );
    });
  }

  async function findingOf({ file }: FileInLog<ScanningFile>): Promise<Finding> {
    const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(deadlineMs)]);
    const { promise: ended, reject } = Promise.withResolvers<never>();
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    // Work that ignores the signal is abandoned: its answer would come too late to count.
    return Promise.race([inspect(file, signal), ended]).catch((error: unknown) => {
      if (error instanceof ObjectChanged) return CHANGED_SINCE;
      throw error;
    });
  }

  /** Schedules the next attempt. Returns the pause before it, in milliseconds. */
  function waitForNext(fileId: FileId): number {
    const file = files.get(fileId)!;
    file.failures += 1;
    const pauseMs = Math.round(
      jittered(backOffMs({ first: firstPauseMs, most: LONGEST_PAUSE_MS }, file.failures)),
    );
    file.timer = setTimeout(() => {
      queue.push(fileId);
      startNext();
    }, pauseMs).unref();
    return pauseMs;
  }

  async function follow(after: Position): Promise<void> {
    const { signal } = stopping;
    await keepRunning(
      signal,
      async () => {
        for await (const batch of store.subscribe({
          ...{ after, lingerMs: LINGER_MS, types: UPLOADS, signal },
          onPosition: (position) => (after = position),
        }))
          for (const { type, data } of batch) if (type === 'FileUploaded') enqueue(data.fileId);
      },
      (err) => {
        log.warn({ err }, 'cannot follow uploads in the log; polling continues');
        return pollMs;
      },
    );
  }

  async function poll(): Promise<void> {
    const { signal } = stopping;
    await keepRunning(
      signal,
      async () => {
        for (const fileId of await waiting(POLL_LIMIT)) enqueue(fileId);
        await sleep(pollMs, signal);
      },
      (err) => {
        log.warn({ err }, 'could not list the files that wait for inspection; retrying');
        return pollMs;
      },
    );
  }

  return {
    async start() {
      followers = Promise.all([follow(await store.head()), poll()]);
    },
    async stop() {
      stopping.abort();
      for (const { timer } of files.values()) clearTimeout(timer);
      await followers;
      await Promise.all(running);
    },
    failure() {
      const now = performance.now();
      const overdue = files.values().filter(({ since }) => now - since > overdueMs);
      const count = [...overdue].length;
      if (count === 0) return undefined;
      return `${count} ${count === 1 ? 'file has' : 'files have'} waited for long${lastError ? `: ${lastError.message}` : ''}`;
    },
  };
}
