import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ProblemError, problem } from '../../protocol/problem.ts';

/** Answers 404 on a path that leads nowhere before any body is looked at. Call after `chargeRequests`. */
export function refuseUnknownPaths(app: FastifyInstance): void {
  app.addHook('preParsing', async ({ is404 }) => {
    if (is404) throw new ProblemError(problem('NOT_FOUND'));
  });
}

/**
 * Remembers which methods each path has from here on. What it answers with is called when all routes are made: then
 * every other method is 405, with the right ones in `Allow`, instead of 404.
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
