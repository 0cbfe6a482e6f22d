import { within } from '../kit/deadline.ts';
import { reasonOf } from '../kit/reason.ts';
import { reusedFor } from '../kit/reuse.ts';
import type { Readiness } from './route-deps.ts';

/** Resolves with the reason why a part cannot work now; undefined if it can. */
export type Check = () => string | undefined | Promise<string | undefined>;
export type Checks = Readonly<Record<string, Check>>;

/** A check that takes longer counts as a failure. */
const ANSWER_MS = 1_500;
/** Time for which a result is reused. */
const FRESH_MS = 250;

type Status = Readiness['dependencies'][string];

interface Health {
  /** The node cannot work without these parts: they are `down` when they fail. */
  needed: () => Checks;
  /** Some work waits without these parts. They are `degraded`, so that a failed mail server does not stop every node. */
  useful: () => Checks;
  /** Called with each part whose status has changed, or whose first status is not `ok`. */
  changed: (name: string, now: Status) => void;
}

/** Returns a function that checks a part. Concurrent callers share one check. */
function asking() {
  const pending = new Map<string, Promise<string | undefined>>();
  return async function ask(name: string, check: Check): Promise<string | undefined> {
    let answer = pending.get(name);
    if (!answer) {
      answer = Promise.try(check)
        .catch(reasonOf)
        .finally(() => pending.delete(name));
      pending.set(name, answer);
    }
    return within(answer, ANSWER_MS, () => 'does not answer');
  };
}

/** Creates the answer of /health/ready. A node is ready while none of the parts that it needs is down. */
export function createReadiness({ needed, useful, changed }: Health): () => Promise<Readiness> {
  const ask = asking();
  const known = new Map<string, Status['status']>();

  const statusesOf = async (checks: Checks, fault: 'down' | 'degraded') =>
    Promise.all(
      Object.entries(checks).map(async ([name, check]): Promise<[string, Status]> => {
        const detail = await ask(name, check);
        const now: Status = detail === undefined ? { status: 'ok' } : { status: fault, detail };
        if (now.status !== (known.get(name) ?? 'ok')) changed(name, now);
        known.set(name, now.status);
        return [name, now];
      }),
    );

  async function look(): Promise<Readiness> {
    const [vital, others] = await Promise.all([
      statusesOf(needed(), 'down'),
      statusesOf(useful(), 'degraded'),
    ]);
    return {
      ready: vital.every(([, { status }]) => status === 'ok'),
      dependencies: Object.fromEntries([...vital, ...others]),
    };
  }

  return reusedFor(FRESH_MS, look);
}
