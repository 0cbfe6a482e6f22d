import type { Readable } from 'node:stream';
import type { Logger } from 'pino';
import { type Scanner, ScannerUnavailable, type ScanVerdict } from '../../files/inspect/scanner.ts';
import { type Answer, askClamd, clamdAddress } from './exchange.ts';
import { proveClamd } from './proof.ts';
import { createSemaphore } from '../../kit/semaphore.ts';

/** clamd runs 10 at a time by default (MaxThreads); the other two answer `failure`. */
const AT_ONCE = 8;
const PROOF_HOLDS_MS = 60_000;
const PROOF_DEADLINE_MS = 10_000;
const FAILURE_DEADLINE_MS = 2_000;
const OLD_SIGNATURES_MS = 48 * 3_600_000;

/**
 * Creates a scanner that uses clamd's INSTREAM command. It trusts an "OK" only after clamd has proved, within
 * the last minute and since the last failure, that it finds a test virus and reports encrypted archives and
 * its own limits. clamd's `StreamMaxLength` must cover the largest file, or such a file is never scanned.
 */
export function createClamdScanner(options: {
  /** `tcp://host:port` or `unix:///path`. */
  url: string;
  log: Logger;
  /** Time limit of one scan, from its start. */
  deadlineMs?: number;
}): Scanner {
  const { url, log, deadlineMs = 120_000 } = options;
  const address = clamdAddress(url);
  const places = createSemaphore(AT_ONCE);
  let proof: { at: number; done: Promise<void> } | undefined;

  /** Runs one proof at a time, for all that wait. A failed one is not kept. */
  function proven(): Promise<void> {
    if (proof && performance.now() - proof.at < PROOF_HOLDS_MS) return proof.done;
    const started = {
      at: performance.now(),
      done: deadline(PROOF_DEADLINE_MS, (s) => proveClamd(address, s)),
    };
    proof = started;
    started.done.catch((err: unknown) => {
      if (proof === started) proof = undefined;
      log.warn({ err }, 'clamd is unreachable or does not find its test virus; files wait');
    });
    return started.done;
  }

  async function scanNow(bytes: Readable, signal: AbortSignal): Promise<ScanVerdict> {
    try {
      return await deadline(
        deadlineMs,
        async (inTime) => {
          await proven();
          return verdictOf(await askClamd(address, { command: 'INSTREAM', bytes, signal: inTime }));
        },
        signal,
      );
    } catch (err) {
      if (err instanceof ScannerUnavailable) proof = undefined;
      throw err;
    }
  }

  return {
    scan: (bytes, signal) => places.run(() => scanNow(bytes, signal), signal),

    async failure() {
      try {
        return await deadline(FAILURE_DEADLINE_MS, async (signal) => {
          const { text } = await askClamd(address, { command: 'VERSION', signal });
          await proven();
          return complaintOf(text);
        });
      } catch (err) {
        proof = undefined;
        return err instanceof Error ? err.message : String(err);
      }
    },
  };
}

/**
 * Parses clamd's answers about a stream that it read to its end. Throws `ScannerUnavailable` for any other
 * answer.
 */
function verdictOf({ text, early }: Answer): ScanVerdict {
  if (text === 'stream: OK' && !early) return { verdict: 'clean' };
  const signature = /^stream: ([\x21-\x7e]{1,200}) FOUND$/.exec(text)?.[1];
  if (signature === undefined)
    throw new ScannerUnavailable(`clamd does not answer as it should: ${readable(text)}`);
  if (signature.startsWith('Heuristics.Encrypted.')) return { verdict: 'refused', reason: 'encrypted' };
  if (signature.startsWith('Heuristics.Limits.Exceeded'))
    return { verdict: 'refused', reason: 'archive-too-deep' };
  return { verdict: 'infected', signature };
}

/**
 * Returns a complaint about old signatures. Official databases have a date, in the time zone of clamd's
 * machine; custom databases have none.
 */
function complaintOf(version: string): string | undefined {
  const [program = '', , date] = version.split('/');
  if (!/^ClamAV \d/.test(program)) return `clamd does not say its version: ${readable(version)}`;
  if (date === undefined) return undefined;
  const age = Date.now() - Date.parse(`${date} UTC`);
  // An unreadable date does not prove that they are new.
  return age < OLD_SIGNATURES_MS
    ? undefined
    : `the signatures of clamd are older than 48 hours: ${readable(date)}`;
}

const readable = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?').slice(0, 80);

/** Runs `work`. Rejects with `ScannerUnavailable` when it takes longer, and with the signal's reason on an abort. */
async function deadline<T>(
  milliseconds: number,
  work: (signal: AbortSignal) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const controller = new AbortController();
  const { promise: over, reject } = Promise.withResolvers<never>();
  const giveUp = (reason: unknown) => {
    controller.abort(reason);
    reject(reason);
  };
  const aborted = () => giveUp(signal?.reason);
  const late = new ScannerUnavailable(`clamd has not answered within ${milliseconds} ms`);
  const timer = setTimeout(giveUp, milliseconds, late);
  signal?.addEventListener('abort', aborted, { once: true });
  try {
    signal?.throwIfAborted();
    return await Promise.race([work(controller.signal), over]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', aborted);
  }
}
