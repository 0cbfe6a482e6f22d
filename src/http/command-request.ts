import type { FastifyRequest } from 'fastify';
import type { Request } from '../commands/handle-command.ts';
import { commandKey } from './hooks/idempotency-keys.ts';

/** Who asks the command handler, and on which occasion. Only for routes behind authentication. */
export const commandRequest = (request: FastifyRequest): Request => ({
  actor: request.session.actor,
  correlationId: request.id,
  ...commandKey(request),
});
