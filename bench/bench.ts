import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';

/** One measured figure with its peer's and the target. */
export interface Result {
  bench: string;
  /** Distinguishes the lines of one bench. */
  case?: string;
  project: number;
  /** The named peer's figure from the same run. */
  peer: number;
  /** As in the table of targets. */
  ratio: number;
  unit: string;
  /** Null for what is only reported. */
  target: number | null;
  /** The comparison with the target, in words. */
  rule: string;
  ok: boolean;
  [detail: string]: unknown;
}

export interface BenchOptions {
  /** Smaller sizes, the same targets. */
  quick: boolean;
  /** Node options for the measured server, such as those of its profiler. */
  nodeArgs: string[];
  /** How long a soak takes; it has a default. */
  minutes?: number | undefined;
  /** A running EventStoreDB. */
  eventStoreDbUrl?: string | undefined;
  /** The folder of another checkout, installed, to compare with. */
  against?: string | undefined;
  /** Reports progress on stderr; results go to stdout. */
  say: (line: string) => void;
}

export interface Bench {
  name: string;
  /** Runs only on request: it takes long, or needs more than npm. */
  isForItself?: true;
  run: (options: BenchOptions) => Promise<Result[]>;
}

/** Returns the value below which `share` (0..1) of the values lie; the values need not be sorted. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** The usual quantiles of durations. */
export const quantiles = (values: readonly number[]) => ({
  p50: round(quantile(values, 0.5)),
  p95: round(quantile(values, 0.95)),
  p99: round(quantile(values, 0.99)),
});

export const median = (values: readonly number[]) => quantile(values, 0.5);

export const best = (values: readonly number[]) => Math.max(...values);

/** Rounds to a useful precision. */
export const round = (value: number, digits = 2) => Number(value.toFixed(digits));

/** Returns the environment of the measurements. */
export function machine(postgres: string) {
  const processors = cpus();
  return {
    cores: processors.length,
    cpu: processors[0]?.model ?? 'unknown',
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    postgres,
  };
}

/** The measured commit; `-dirty` when files differ from it. */
export function commit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty', '--abbrev=10'], {
      encoding: 'utf8',
    }).trim();
  } catch {
    return 'unknown';
  }
}

/**
 * Runs one piece of work at a time in each of `width` lanes, for `milliseconds`. Returns the pieces per
 * second.
 */
export async function perSecond(
  width: number,
  milliseconds: number,
  work: (lane: number) => Promise<unknown>,
): Promise<number> {
  const started = performance.now();
  const end = started + milliseconds;
  let done = 0;
  const lane = async (index: number) => {
    while (performance.now() < end) {
      await work(index);
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: width }, (_, index) => lane(index)));
  return (done * 1_000) / (performance.now() - started);
}

/** Processes every item, at most `width` at once. */
export async function inFlight<T>(width: number, items: Iterable<T>, work: (item: T) => Promise<unknown>) {
  const queue = items[Symbol.iterator]();
  const lane = async () => {
    for (let next = queue.next(); !next.done; next = queue.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: width }, lane));
}
