import type { FastifyInstance } from 'fastify';
import { NotCaughtUp, type Progress, caughtUp } from '../../projections/projection.ts';
import { type Positions, parsePosition } from '../../protocol/positions.ts';
import { ProblemError, badInput } from '../../protocol/problem.ts';

export const MIN_POSITION = 'x-min-position';

/**
 * Implements read-your-writes: a query that names a position sees the log at least up to there, or answers
 * 503. A position that the log does not have is refused with 409, because no repetition would help. Only
 * authenticated queries wait.
 */
export function waitForMinPosition(
  app: FastifyInstance,
  { progress, positions }: { progress: Pick<Progress, 'reached'>; positions: Positions },
): void {
  app.addHook('preHandler', async ({ method, headers, session }) => {
    const asked = method === 'GET' || method === 'HEAD' ? headers[MIN_POSITION] : undefined;
    // No route without a token promises it, and a stranger must not make the server wait.
    if (asked === undefined || !session) return;
    const given = typeof asked === 'string' ? parsePosition(asked) : undefined;
    if (!given) {
      const message = 'Must be a position that a command has answered with';
      throw new ProblemError(badInput([{ path: [MIN_POSITION], message }], 'headers'));
    }
    const position = positions.decode(given);
    await caughtUp(progress, position).catch(async (error: unknown) => {
      // It has waited already.
      if (error instanceof NotCaughtUp) await positions.requireInLog(position, 0);
      throw error;
    });
  });
}
