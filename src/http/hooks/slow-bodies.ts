import type { FastifyInstance } from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route takes large bodies, which may take as long to arrive as the server allows for any request. */
    slowBody?: boolean;
  }
}

/**
 * Closes the connection when a body has not arrived completely within `ms`. Node's own requestTimeout is the
 * same for the whole server, and has to let large uploads through.
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
