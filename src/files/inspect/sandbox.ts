import { z } from 'zod';
import { SniffedReason } from '../sniff/sniff-check.ts';

/** Work on bytes that a client chose. */
export type Task = { task: 'judge'; contentType: string } | { task: 'thumbnail' };

/** The results of the tasks, as they are written. */
export const results = {
  judge: z.strictObject({
    sha256: z.string(),
    contentType: z.string().nullable(),
    reasons: z.array(SniffedReason),
  }),
  /** WebP in base64; null when the bytes are not a picture. */
  thumbnail: z.strictObject({ webp: z.base64().nullable() }),
} as const;
export type Result<T extends Task> = z.infer<(typeof results)[T['task']]>;

/** The work passed a limit of time, memory or output, or crashed. The bytes are to blame. */
export class BudgetExceeded extends Error {
  override readonly name = 'BudgetExceeded';
}

/** No work can be done now. The bytes are not to blame. */
export class SandboxUnavailable extends Error {
  override readonly name = 'SandboxUnavailable';
}

/** One running task. */
export interface Work<R> {
  /** Resolves when more can be taken. Rejects with `BudgetExceeded`. */
  write(chunk: Uint8Array): Promise<void>;
  /** Ends the input, and resolves with the result. Rejects with `BudgetExceeded`. */
  result(): Promise<R>;
}

/** The port of work on hostile bytes: in another process, within limits, killed when it passes one. */
export interface Sandbox {
  /**
   * Starts a task when its turn comes, and hands it to `feed`. A task without a result by the end of `feed`
   * is killed. Rejects with `SandboxUnavailable`, with the signal's reason while it waits, or with the error
   * of `feed`. An abort ends the work.
   */
  run<T extends Task, R>(
    task: T,
    signal: AbortSignal,
    feed: (work: Work<Result<T>>) => Promise<R>,
  ): Promise<R>;
}
