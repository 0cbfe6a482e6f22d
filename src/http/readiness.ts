import { within } from '../kit/deadline.ts';
import type { Readiness } from './route-deps.ts';

/** Why a part cannot do its work now; undefined while it can. */
export type Check = () => string | undefined | Promise<string | undefined>;
export type Checks = Readonly<Record<string, Check>>;

/** A part that does not answer within this time is reported as such. */
const ANSWER_MS = 1_500;
/** A caller that asks again within this time gets the same answer. */
const FRESH_MS = 250;

type Status = Readiness['dependencies'][string];

interface Health {
  /** Nothing works without these: they are `down` when they fail. */
  needed: () => Checks;
  /** Without these some work waits: they are `degraded`, because a mail server must not take every node out at once. */
  useful: () => Checks;
  /** Hears of each part whose status is another one than before, or whose first status is not `ok`. */
  changed: (name: string, now: Status) => void;
}

/** Asks each part once at a time: callers that ask meanwhile wait for the same answer. */
function asking() {
  const pending = new Map<string, Promise<string | undefined>>();
  return async function ask(name: string, check: Check): Promise<string | undefined> {
    let answer = pending.get(name);
    if (!answer) {
      answer = Promise.try(check)
        .catch((error: unknown) => (error instanceof Error ? error.message : 'does not answer'))
        .finally(() => pending.delete(name));
      pending.set(name, answer);
    }
    return within(answer, ANSWER_MS, () => 'does not answer');
  };
}

/** Answers what /health/ready says: a node is ready while nothing that it needs is down. */
export function createReadiness({ needed, useful, changed }: Health): () => Promise<Readiness> {
  const ask = asking();
  const known = new Map<string, Status['status']>();
  let latest: { at: number; readiness: Promise<Readiness> } | undefined;

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

  return () => {
    const now = performance.now();
    if (!latest || now - latest.at > FRESH_MS) latest = { at: now, readiness: look() };
    return latest.readiness;
  };
}
