import type { Readiness } from './route-deps.ts';

/** Why a part cannot do its work now; undefined while it can. */
export type Check = () => string | undefined | Promise<string | undefined>;

/** What /health/ready says: a node is ready when no part that it cannot serve without is at fault. */
export async function readinessOf(checks: Readonly<Record<string, Check>>): Promise<Readiness> {
  const results = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => {
      const detail = await Promise.try(check).catch(() => 'does not answer');
      return [name, detail === undefined ? { status: 'ok' } : { status: 'failing', detail }] as const;
    }),
  );
  const dependencies = Object.fromEntries(results);
  return { ready: results.every(([, { status }]) => status === 'ok'), dependencies };
}
