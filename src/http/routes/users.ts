import { z } from 'zod';
import { UserId } from '../../events/ids.ts';
import { ownGroupsAccess } from '../group-access.ts';
import type { HttpApp, RouteDeps } from '../route-deps.ts';
import { idsParameter } from '../../protocol/schemas.ts';
import { UserNames } from '../../protocol/views.ts';

/** Defines the route of the names of people. Clients bring people by the routes under it. */
export function userRoutes(app: HttpApp, { queries, ...deps }: RouteDeps): void {
  const inOwn = ownGroupsAccess(deps);

  app.get(
    '/v1/users',
    {
      config: { scope: 'messages:read' },
      schema: {
        tags: ['Members'],
        operationId: 'listUsers',
        summary: 'The names of people whom the caller has to do with; others are left out',
        querystring: z.strictObject({ ids: idsParameter(UserId) }),
        response: { 200: UserNames },
      },
    },
    // Clients ask for whom a push has just named.
    ({ session: { actor }, query: { ids } }) =>
      inOwn(() => queries.listUsers({ userId: actor.userId, ids }), ['accounts', 'conversations']),
  );
}
