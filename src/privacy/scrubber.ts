import type { Logger } from 'pino';
import { sleep } from '../kit/back-off.ts';
import { type Erasures, clearAgain } from './eraser.ts';

/**
 * The port of what an erasure leaves in the files of the database: deleted rows, samples, the write-ahead log. A scrub
 * writes anew what may have them.
 */
export interface Scrubs {
  /** Resolves with the number of the last scrub that was asked for; undefined when it is done. */
  wanted(): Promise<number | undefined>;
  /** Writes everything anew. Throws the first error, or once the signal aborts. Repeating it is safe. */
  run(signal: AbortSignal): Promise<void>;
  /** Records that this scrub, and all before it, are done. */
  done(scrub: number): Promise<void>;
}

const EVERY_MS = 1_000;
/** A scrub that takes longer is followed by a rest of ten times its duration, so that many erasures share one. */
const SHORT_MS = 10_000;
const REST = 10;
const RETRY_MS = 5_000;

/** Starts scrubbing whenever it is asked for. What fails is logged and tried again. */
export function startScrubber({
  scrubs,
  erasures,
  log,
}: {
  scrubs: Scrubs;
  erasures: Pick<Erasures, 'toScrub' | 'forget' | 'forgetMonth'>;
  log: Logger;
}): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const { signal } = stopping;

  /** Resolves with the time to wait, in milliseconds. */
  async function scrubIfWanted(): Promise<number> {
    const scrub = await scrubs.wanted();
    if (scrub === undefined) return EVERY_MS;
    const begun = performance.now();
    // It was cleared while the scrub before this one copied the rows as they had been.
    for (const erased of await erasures.toScrub()) await clearAgain(erasures, erased);
    await scrubs.run(signal);
    await scrubs.done(scrub);
    const milliseconds = Math.round(performance.now() - begun);
    log.info({ scrub, milliseconds }, 'erased rows have left the files of the database');
    return milliseconds > SHORT_MS ? REST * milliseconds : EVERY_MS;
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      let wait = RETRY_MS;
      try {
        wait = await scrubIfWanted();
      } catch (err) {
        if (!signal.aborted)
          log.warn({ err }, 'erased rows are still in the files of the database; retrying in 5 s');
      }
      await sleep(wait, signal, { ref: false });
    }
  }

  const ended = run();
  return {
    stop: () => {
      stopping.abort();
      return ended;
    },
  };
}
