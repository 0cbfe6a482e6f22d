import helmet from '@fastify/helmet';
import Fastify, { type InjectOptions } from 'fastify';
import { type ZodTypeProvider, serializerCompiler } from 'fastify-type-provider-zod';
import { type Account, accountOf } from '../../../src/commands/account/account.ts';
import type { Actor } from '../../../src/commands/command.ts';
import type { DomainEvent } from '../../../src/events/domain-event.ts';
import type { UserId } from '../../../src/events/ids.ts';
import { answerWithProblems } from '../../../src/http/hooks/answer-with-problems.ts';
import { authenticateRequests } from '../../../src/http/hooks/authenticate-request.ts';
import { checkWithZod } from '../../../src/http/describe-routes.ts';
import type { Positions } from '../../../src/protocol/positions.ts';
import { acceptJsonOnly } from '../../../src/http/json.ts';
import type { HttpApp } from '../../../src/http/route-deps.ts';
import { commands } from '../language/command-stage.ts';
import { positionsIn } from './positions.ts';
import { rateLimitsOf } from './rate-limits.ts';

type Deps = Awaited<ReturnType<typeof commands>> & {
  loadAccount: (userId: UserId) => Promise<Account>;
  positions: Positions;
};
interface Asked {
  as?: Actor;
  body?: unknown;
  payload?: string;
  headers?: Record<string, string>;
}

/**
 * Some routes alone, over a log in memory, with the server's common handling of bodies, problems and
 * authentication. A token is the actor as JSON.
 */
export async function someRoutes(
  history: readonly DomainEvent[],
  routes: (app: HttpApp, deps: Deps) => void,
) {
  const stage = await commands({ history });
  const app = Fastify().withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(checkWithZod);
  app.setSerializerCompiler(serializerCompiler);
  acceptJsonOnly(app);
  answerWithProblems(app, () => {});
  await app.register(helmet);
  const authenticated = authenticateRequests(app, {
    authenticate: async (token) => ({
      actor: JSON.parse(token) as Actor,
      sessionId: 'a session',
      kid: 'a key',
      expiresAt: Number.MAX_SAFE_INTEGER,
    }),
    rateLimits: rateLimitsOf(),
  });
  app.addHook('onRequest', async (request) => {
    const isPublic = request.routeOptions.schema?.security?.length === 0;
    if (!isPublic) await authenticated(request);
  });
  const loadAccount = async (userId: UserId) => (await stage.loader.refresh(accountOf(userId))).state;
  routes(app, { ...stage, loadAccount, positions: positionsIn(stage.store) });

  return {
    /** The whole log. */
    log: () => stage.log(),
    async ask(
      method: NonNullable<InjectOptions['method']>,
      url: string,
      { as, body, payload = JSON.stringify(body), headers }: Asked = {},
    ) {
      const answer = await app.inject({
        method,
        url,
        headers: {
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...(as && { authorization: `Bearer ${JSON.stringify(as)}` }),
          ...headers,
        },
        ...(payload !== undefined && { payload }),
      });
      const isJson = String(answer.headers['content-type']).includes('json');
      return {
        status: answer.statusCode,
        headers: answer.headers,
        text: answer.body,
        body: (isJson ? answer.json() : undefined) as Record<string, unknown>,
      };
    },
    close: () => app.close(),
  };
}
