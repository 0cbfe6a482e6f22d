import { SingleBar } from 'cli-progress';

const LINE_MS = 2_000;
const count = (n: number) => Math.round(n).toLocaleString('en');

export interface Progress {
  /** Shows that `done` of the total is done; `events` is what the rate counts, by default the same. */
  reach(done: number, total: number, events?: number): void;
  stop(): void;
}

/**
 * Shows on the standard error how far long work has come, how fast it goes and how long it will take: as a bar on
 * a terminal, elsewhere as a line from time to time.
 */
export function showProgress(what: string): Progress {
  const begun = performance.now();
  let saidAt = begun;
  const bar = process.stderr.isTTY
    ? new SingleBar({
        format: `${what} {bar} {percentage} % | {value} of {total} | {rate} events/s | {left} s to go`,
        stream: process.stderr,
        clearOnComplete: true,
        etaAsynchronousUpdate: false,
      })
    : undefined;
  let isStarted = false;
  return {
    reach(done, total, events = done) {
      const seconds = (performance.now() - begun) / 1_000;
      const rate = count(events / seconds);
      const left = done === 0 ? '?' : (((total - done) / done) * seconds).toFixed(1);
      if (bar && !isStarted) bar.start(total, 0, { rate, left });
      isStarted = true;
      bar?.setTotal(total);
      bar?.update(done, { rate, left });
      if (bar || performance.now() - saidAt < LINE_MS) return;
      saidAt = performance.now();
      process.stderr.write(`${what}: ${count(done)} of ${count(total)}, ${rate} events/s, ${left} s to go\n`);
    },
    stop: () => bar?.stop(),
  };
}
