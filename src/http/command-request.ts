import type { FastifyRequest } from 'fastify';
import type { Request } from '../commands/handle-command.ts';
import { parseTraceparent } from '../kit/trace-context.ts';
import { commandKey } from './hooks/idempotency-keys.ts';

/** Returns the actor, the client that acts for it, the correlation id and the trace of a request. Only for routes behind authentication. */
export const commandRequest = (request: FastifyRequest): Request => ({
  actor: request.session.actor,
  correlationId: request.id,
  trace: parseTraceparent(request.headers['traceparent']),
  ...commandKey(request),
  ...(request.client && { via: { clientId: request.client.clientId } }),
});
