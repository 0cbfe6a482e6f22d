import type { FastifyInstance } from 'fastify';
import type { Progress } from '../projections/projection.ts';
import { ProblemError, badInput, problem } from './problem.ts';

export const MIN_POSITION = 'x-min-position';
/** How long a query waits to see a write. */
const WAIT_MS = 2_000;

/**
 * Read your writes: a query that names a position sees the log at least up to there, or answers 503.
 * A position that no log has reached is waited for like any other.
 */
export function waitForMinPosition(app: FastifyInstance, progress: Pick<Progress, 'reached'>): void {
  app.addHook('preHandler', async ({ method, headers }) => {
    const asked = method === 'GET' || method === 'HEAD' ? headers[MIN_POSITION] : undefined;
    if (asked === undefined) return;
    if (typeof asked !== 'string' || !/^\d{1,15}$/.test(asked)) {
      const message = 'Must be a position that a command has answered with';
      throw new ProblemError(badInput([{ path: [MIN_POSITION], message }], 'headers'));
    }
    const isThere = await progress.reached(Number(asked), WAIT_MS);
    if (!isThere) throw new ProblemError(problem('NOT_CAUGHT_UP', { retryAfterSeconds: 1 }));
  });
}
