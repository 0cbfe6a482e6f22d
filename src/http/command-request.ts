import type { FastifyRequest } from 'fastify';
import type { Request } from '../commands/handle-command.ts';
import { commandKey } from './hooks/idempotency-keys.ts';

/** Returns the actor and the correlation id of a request. Only for routes behind authentication. */
export const commandRequest = (request: FastifyRequest): Request => ({
  actor: request.session.actor,
  correlationId: request.id,
  ...commandKey(request),
});
