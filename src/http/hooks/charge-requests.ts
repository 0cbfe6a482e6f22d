import { setTimeout as pause } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { countedAddress } from '../../auth/client-address.ts';
import { type Cost, DEFAULT_COSTS, type RateLimits, costOf } from '../../protocol/rate-limits.ts';
import { sendQuota } from './rate-limit-fields.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The cost of every request of this route, if it does not follow from the request. */
    cost?: Cost;
  }
}

/**
 * Charges every request, on any route or none, as soon as the caller is known and before the body is read.
 * Users pay by id, other callers by address; `chargeClient` has charged those of clients. Callers that ask for very much at once are delayed. Call before
 * any route is defined.
 */
export function chargeRequests(app: FastifyInstance, rateLimits: RateLimits): void {
  app.addHook('onRoute', (route) => {
    const cost = costOf(route.schema?.operationId);
    if (cost !== undefined) route.config = { ...route.config, cost };
  });

  app.addHook('preParsing', async (request, reply) => {
    const cost = costOfRequest(request);
    if (cost === 0 || (request.client && typeof cost === 'number')) return;
    const userId = request.session?.actor.userId;
    const key = userId ?? countedAddress(request.ip);
    if (typeof cost === 'string') return sendQuota(reply, await rateLimits.consume(cost, key));
    const quota = rateLimits.spend(userId === undefined ? 'anonymous' : 'requests', key, cost);
    sendQuota(reply, quota);
    if (quota.delayMs > 0) await pause(quota.delayMs);
  });
}

/**
 * Charges the client that a request comes from, before anything is looked up for it. Throws `RateLimited`. A client is
 * not delayed, because its many calls are those of many people.
 */
export function chargeClient(
  rateLimits: RateLimits,
  request: FastifyRequest,
  reply: FastifyReply,
  clientId: string,
): void {
  const cost = costOfRequest(request);
  const points = typeof cost === 'number' ? cost : DEFAULT_COSTS.command;
  sendQuota(reply, rateLimits.spend('clients', clientId, points));
}

/** Charges the address of a request whose token is not valid. */
export function chargeBadToken(rateLimits: RateLimits, { ip }: FastifyRequest): void {
  rateLimits.spend('anonymous', countedAddress(ip), DEFAULT_COSTS.badToken);
}

const costOfRequest = (request: FastifyRequest): Cost =>
  request.routeOptions.config.cost ?? usualCost(request);

function usualCost({ method, query }: FastifyRequest): number {
  if (method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS') return DEFAULT_COSTS.command;
  return Object.hasOwn(query as object, 'q') ? DEFAULT_COSTS.search : DEFAULT_COSTS.query;
}
