import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ProblemError, problem } from '../../protocol/problem.ts';

/** Answers 404 on an unknown path before any body is read. Call after `chargeRequests`. */
export function refuseUnknownPaths(app: FastifyInstance): void {
  app.addHook('preParsing', async ({ is404 }) => {
    if (is404) throw new ProblemError(problem('NOT_FOUND'));
  });
}

/**
 * Records the methods of each path from here on. Call the returned function when all routes are defined:
 * every other method is then 405, with the right ones in `Allow`, instead of 404.
 */
export function refuseOtherMethods(app: FastifyInstance): () => void {
  const methodsOf = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    const methods = methodsOf.get(url) ?? new Set();
    methodsOf.set(url, methods.union(new Set([method].flat())));
  });

  return () => {
    for (const [url, methods] of [...methodsOf]) {
      const refuse = async (_request: FastifyRequest, reply: FastifyReply) => {
        void reply.header('Allow', [...methods].toSorted().join(', '));
        throw new ProblemError(problem('METHOD_NOT_ALLOWED'));
      };
      const method = app.supportedMethods.filter((one) => !methods.has(one));
      app.route({ method, url, schema: { hide: true }, preParsing: refuse, handler: refuse });
    }
  };
}
