import type { FastifyInstance } from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route takes large bodies, which may arrive for as long as the server allows any request. */
    slowBody?: boolean;
  }
}

/**
 * Ends the connection of whoever has not sent all of a body within `ms`. Node's own requestTimeout is one for the whole
 * server, and has to let large uploads through.
 */
export function limitBodyTime(app: FastifyInstance, ms: number): void {
  app.addHook('onRequest', async ({ raw, routeOptions }) => {
    const hasBody = 'content-length' in raw.headers || 'transfer-encoding' in raw.headers;
    if (!hasBody || routeOptions.config.slowBody) return;
    const cut = setTimeout(() => {
      if (!raw.complete) raw.destroy();
    }, ms).unref();
    raw.once('end', () => clearTimeout(cut));
  });
}
