import { within } from '../../kit/deadline.ts';

/** Brings one gauge, or some that belong together, up to date. */
export type Measure = () => Promise<void>;

/** What the metrics are shown after so long, whatever they would have to ask for. */
const MEASURE_MS = 1_000;

/**
 * Gauges that have to ask somebody else. Each is asked on its own and one at a time; of one that fails or takes too long the
 * last value stays, and `isFresh` says so.
 */
export function createMeasures(isFresh: (name: string, isFresh: boolean) => void) {
  const measures = new Map<string, Measure>();
  const pending = new Map<string, Promise<boolean>>();

  async function refresh(name: string, measure: Measure): Promise<void> {
    let done = pending.get(name);
    if (!done) {
      done = Promise.try(measure)
        .then(
          () => true,
          () => false,
        )
        .finally(() => pending.delete(name));
      pending.set(name, done);
    }
    isFresh(name, await within(done, MEASURE_MS, () => false));
  }

  return {
    add: (name: string, measure: Measure) => void measures.set(name, measure),
    /** Resolves within a second or so. Never rejects. */
    async refresh(): Promise<void> {
      await Promise.all([...measures].map(([name, measure]) => refresh(name, measure)));
    },
  };
}
