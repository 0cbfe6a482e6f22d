import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { RateLimits } from '../../../protocol/rate-limits.ts';
import type { Authenticate } from '../../../auth/session.ts';
import type { Sessions } from '../../../auth/sessions.ts';
import { authenticateRequests } from '../../hooks/authenticate-request.ts';
import { ProblemError, problem } from '../../../protocol/problem.ts';
import { Id, Time } from '../../../protocol/schemas.ts';

export interface SessionRoutes {
  sessions: Sessions;
  authenticate: Authenticate;
  rateLimits: RateLimits;
}

const Session = z
  .object({
    sessionId: Id,
    createdAt: Time,
    lastUsedAt: Time.describe('When it was opened or last refreshed'),
    userAgent: z.string().nullable().describe('What the client called itself at the login'),
    current: z.boolean().describe('Whether it is the session that asks'),
  })
  .meta({ id: 'Session' });
const SessionList = z.object({ data: z.array(Session) }).meta({ id: 'SessionList' });

const tags = ['Authentication'];

/** Defines the routes of the caller's sessions. */
export function sessionRoutes(plainApp: FastifyInstance, deps: SessionRoutes): void {
  const app = plainApp.withTypeProvider<ZodTypeProvider>();
  const onRequest = authenticateRequests(plainApp, deps);

  app.get(
    '/v1/me/sessions',
    {
      onRequest,
      config: { for: 'everybody' },
      schema: {
        tags,
        summary: "The caller's open sessions, most recently used first",
        operationId: 'listSessions',
        response: { 200: SessionList },
      },
    },
    async ({ session: { actor, sessionId: current } }) => {
      const open = await deps.sessions.ofUser(actor.userId);
      const data = open.map(({ sessionId, createdAt, lastUsedAt, userAgent }) => ({
        ...{ sessionId, userAgent },
        createdAt: createdAt.toISOString(),
        lastUsedAt: lastUsedAt.toISOString(),
        current: sessionId === current,
      }));
      return { data };
    },
  );

  app.delete(
    '/v1/me/sessions/:sessionId',
    {
      onRequest,
      config: { for: 'everybody', refusals: ['SESSION_NOT_FOUND'] },
      schema: {
        tags,
        summary: 'End one of the sessions, with its tokens and its sockets',
        operationId: 'endSession',
        params: z.strictObject({ sessionId: Id }),
        response: { 204: z.undefined().describe('The session has ended') },
      },
    },
    async ({ session: { actor }, params: { sessionId } }, reply) => {
      const hasEnded = await deps.sessions.endOneOf(actor.userId, sessionId);
      if (!hasEnded) throw new ProblemError(problem('SESSION_NOT_FOUND'));
      return reply.code(204).send();
    },
  );
}
