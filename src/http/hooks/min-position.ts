import type { FastifyInstance } from 'fastify';
import { type Progress, caughtUp } from '../../projections/projection.ts';
import { ProblemError, badInput } from '../../protocol/problem.ts';

export const MIN_POSITION = 'x-min-position';

/**
 * Implements read-your-writes: a query that names a position sees the log at least up to there, or answers
 * 503. Only authenticated queries wait. Positions beyond the end of the log are waited for like any other.
 */
export function waitForMinPosition(app: FastifyInstance, progress: Pick<Progress, 'reached'>): void {
  app.addHook('preHandler', async ({ method, headers, session }) => {
    const asked = method === 'GET' || method === 'HEAD' ? headers[MIN_POSITION] : undefined;
    // No route without a token promises it, and a stranger must not make the server wait.
    if (asked === undefined || !session) return;
    if (typeof asked !== 'string' || !/^\d{1,15}$/.test(asked)) {
      const message = 'Must be a position that a command has answered with';
      throw new ProblemError(badInput([{ path: [MIN_POSITION], message }], 'headers'));
    }
    await caughtUp(progress, Number(asked));
  });
}
