import { z } from 'zod';
import { SniffedReason } from '../sniff/sniff-check.ts';

/** Work on bytes that a client chose. */
export type Task = { task: 'judge'; contentType: string } | { task: 'thumbnail' };

/** What comes of each task, as it is written. */
export const results = {
  judge: z.strictObject({
    sha256: z.string(),
    contentType: z.string().nullable(),
    reasons: z.array(SniffedReason),
  }),
  /** WebP in base64; null when the bytes make no picture. */
  thumbnail: z.strictObject({ webp: z.base64().nullable() }),
} as const;
export type Result<T extends Task> = z.infer<(typeof results)[T['task']]>;

/** The work passed a limit of time, memory or output, or crashed: the bytes are to blame. */
export class BudgetExceeded extends Error {
  override readonly name = 'BudgetExceeded';
}

/** No work can be done at all now: the bytes are not to blame. */
export class SandboxUnavailable extends Error {
  override readonly name = 'SandboxUnavailable';
}

/** One task in hand. */
export interface Work<R> {
  /** Resolves when more can be taken. Rejects with `BudgetExceeded`. */
  write(chunk: Uint8Array): Promise<void>;
  /** Says that this was all, and answers with what came of it. Rejects with `BudgetExceeded`. */
  result(): Promise<R>;
}

/** The port of work on hostile bytes: apart from this process, within limits, and killed when it passes one. */
export interface Sandbox {
  /**
   * Begins a task when it is its turn, and hands it to `feed`; whatever has no result by the end of that is killed. Rejects
   * with `SandboxUnavailable`, with the signal's reason while it waits, or with what `feed` rejects with. An abort ends the work.
   */
  run<T extends Task, R>(
    task: T,
    signal: AbortSignal,
    feed: (work: Work<Result<T>>) => Promise<R>,
  ): Promise<R>;
}
