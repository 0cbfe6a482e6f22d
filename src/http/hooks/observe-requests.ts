import type { FastifyInstance } from 'fastify';

/** One answered request. `route` is the pattern, never the path, which contains search terms. */
export interface Answered {
  route: string;
  method: string;
  status: number;
}

/** Counts every answer, and logs one line for each. */
export function observeRequests(
  app: FastifyInstance,
  requestAnswered: (answered: Answered, seconds: number) => void,
): void {
  app.addHook('onRequest', async (request, reply) => {
    void reply.header('X-Request-Id', request.id);
  });
  app.addHook('onResponse', async (request, { statusCode, elapsedTime }) => {
    const answered = {
      route: request.routeOptions.url ?? 'none',
      method: request.method,
      status: statusCode,
    };
    requestAnswered(answered, elapsedTime / 1000);
    const ms = Math.round(elapsedTime * 10) / 10;
    const isUpkeep = /^\/(health|metrics)/.test(answered.route);
    request.log[isUpkeep ? 'debug' : 'info'](
      { ...answered, ms, userId: request.session?.actor.userId, clientId: request.client?.clientId },
      'answered',
    );
  });
}
