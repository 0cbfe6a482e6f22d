import type { FastifyInstance } from 'fastify';

/** Of a larger body nothing is read, and its connection is closed with the answer. */
const READ_ON_BYTES = 16 * 1_048_576;
const NOT_READ: ReadonlySet<number> = new Set([413, 415]);

/**
 * Lets whoever sends a body that is refused unread hear the answer: a connection that is closed while bytes are on their way
 * takes the answer with it (RFC 9112 §9.6). Node reads what follows and drops it; `limitBodyTime` bounds for how long.
 */
export function readOnAfterRefusals(app: FastifyInstance): void {
  app.addHook('onSend', async ({ raw }, reply) => {
    const isShort = Number(raw.headers['content-length'] ?? 0) <= READ_ON_BYTES;
    if (NOT_READ.has(reply.statusCode) && !raw.complete && isShort) void reply.removeHeader('connection');
  });
}
