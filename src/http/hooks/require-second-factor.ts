import type { FastifyInstance } from 'fastify';
import type { RequireSecondFactor } from '../../auth/second-factor/require-second-factor.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** True for what callers reach who have to set up a second factor first. */
    beforeSecondFactor?: boolean;
  }
}

/**
 * Refuses callers who have to set up a second factor first, on every route that authenticates but those marked
 * with `beforeSecondFactor`. Runs before the body is read.
 */
export function requireSecondFactors(app: FastifyInstance, requireSecondFactor: RequireSecondFactor): void {
  app.addHook('preParsing', async ({ session, routeOptions }) => {
    if (session && !routeOptions.config.beforeSecondFactor) await requireSecondFactor(session.actor);
  });
}
