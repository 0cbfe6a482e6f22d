import type { FastifyInstance } from 'fastify';
import { CommandRejected } from '../../commands/rejection.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * Who may call the route, of those who are logged in. Default: everybody but auditors, who must not become
     * part of what they examine. Operators are the accounts with the role `admin`. Clients are no users, and call
     * what is for them.
     */
    for?: 'everybody' | 'auditors' | 'operators' | 'clients';
  }
}

/**
 * Refuses auditors on every route that is not for them, and everybody else on theirs and those of operators, before
 * the body is read. Call after `chargeRequests`, so that refusals cost something too.
 */
export function allowRoles(app: FastifyInstance): void {
  app.addHook('preParsing', async ({ session, routeOptions }) => {
    const { for: whom } = routeOptions.config;
    if (!session || whom === 'everybody') return;
    const { role } = session.actor;
    if ((role === 'auditor') !== (whom === 'auditors')) throw new CommandRejected('ROLE_NOT_ALLOWED');
    if (whom === 'operators' && role !== 'admin') throw new CommandRejected('ROLE_NOT_ALLOWED');
  });
}
