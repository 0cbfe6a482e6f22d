import type { FastifyInstance } from 'fastify';

/**
 * Size up to which a refused body is read. Nothing is read of a larger one, and its connection is closed with
 * the answer.
 */
const READ_ON_BYTES = 16 * 1_048_576;
const NOT_READ: ReadonlySet<number> = new Set([413, 415]);

/**
 * Makes sure that the answer reaches a client whose body is refused unread: closing a connection while bytes
 * are arriving loses the answer (RFC 9112 §9.6). Node reads the rest and drops it; `limitBodyTime` limits for
 * how long.
 */
export function readOnAfterRefusals(app: FastifyInstance): void {
  app.addHook('onSend', async ({ raw }, reply) => {
    const isShort = Number(raw.headers['content-length'] ?? 0) <= READ_ON_BYTES;
    if (NOT_READ.has(reply.statusCode) && !raw.complete && isShort) void reply.removeHeader('connection');
  });
}
