import type { FastifyInstance } from 'fastify';
import { ProblemError, problem } from './problem.ts';

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
    for (const [url, methods] of [...methodsOf])
      app.route({
        method: app.supportedMethods.filter((method) => !methods.has(method)),
        url,
        schema: { hide: true },
        handler: (_request, reply) => {
          void reply.header('Allow', [...methods].toSorted().join(', '));
          throw new ProblemError(problem('METHOD_NOT_ALLOWED'));
        },
      });
  };
}
