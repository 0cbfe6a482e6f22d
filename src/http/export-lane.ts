import type { FastifyReply } from 'fastify';
import { createSemaphore } from '../kit/semaphore.ts';
import { ProblemError, problem } from '../protocol/problem.ts';

/** Exports that a lane runs at a time. Each reads as fast as its reader can. */
const EXPORTS = 2;
const RETRY_SECONDS = 10;

/** Creates a lane for long answers: a function that lets one in until its reply is closed. It throws TOO_MANY_EXPORTS. */
export function createExportLane(): (reply: Pick<FastifyReply, 'raw'>) => void {
  const exports = createSemaphore(EXPORTS);
  return ({ raw }) => {
    if (exports.isFull())
      throw new ProblemError(problem('TOO_MANY_EXPORTS', { retryAfterSeconds: RETRY_SECONDS }));
    void exports.run(() => new Promise<void>((resolve) => raw.once('close', () => resolve())));
  };
}
