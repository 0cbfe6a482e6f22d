import type { Readiness } from './route-deps.ts';

/** Why a part cannot do its work now; undefined while it can. */
export type Check = () => string | undefined | Promise<string | undefined>;
export type Checks = Readonly<Record<string, Check>>;

/** A part that does not even say what is wrong with it within this time does not answer. */
const ANSWER_MS = 2_500;

async function ask(check: Check): Promise<string | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<string>();
  const timer = setTimeout(resolve, ANSWER_MS, 'does not answer');
  const answer = Promise.try(check).catch(() => 'does not answer');
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}

const statusesOf = async (checks: Checks, fault: 'failing' | 'degraded') =>
  Promise.all(
    Object.entries(checks).map(async ([name, check]) => {
      const detail = await ask(check);
      return [name, detail === undefined ? { status: 'ok' } : { status: fault, detail }] as const;
    }),
  );

/**
 * What /health/ready says. A node is ready when nothing that it cannot serve without is `failing`. What only makes some of
 * the work wait is `degraded`: a scanner or a mail server that is down must not take every node out at once.
 */
export async function readinessOf(needed: Checks, useful: Checks = {}): Promise<Readiness> {
  const [vital, others] = await Promise.all([statusesOf(needed, 'failing'), statusesOf(useful, 'degraded')]);
  return {
    ready: vital.every(([, { status }]) => status === 'ok'),
    dependencies: Object.fromEntries([...vital, ...others]),
  };
}
