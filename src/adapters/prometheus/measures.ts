import { within } from '../../kit/deadline.ts';

/** Updates one gauge, or several that belong together. */
export type Measure = () => Promise<void>;

/** Longest time that a scrape waits for gauges. */
const MEASURE_MS = 1_000;

/**
 * Creates the gauges that have to query another part. Each is queried separately and one at a time. When a
 * query fails or takes too long, the last value stays, and `isFresh` is called with false.
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
    /** Resolves within about a second. Never rejects. */
    async refresh(): Promise<void> {
      await Promise.all([...measures].map(([name, measure]) => refresh(name, measure)));
    },
  };
}
