import { z } from 'zod';
import { GroupId } from '../../events/ids.ts';
import { groupAccess, ownGroupsAccess } from '../group-access.ts';
import type { HttpApp, RouteDeps } from '../route-deps.ts';
import { paging } from '../../protocol/schemas.ts';
import { GroupPage, GroupView } from '../../protocol/views.ts';

const tags = ['Groups'];

/** Defines the routes of the caller's groups. */
export function groupRoutes(app: HttpApp, { queries, ...deps }: RouteDeps): void {
  const asMember = groupAccess(deps);
  const inOwn = ownGroupsAccess(deps);

  app.get(
    '/v1/groups',
    {
      config: { scope: 'messages:read' },
      schema: {
        tags,
        operationId: 'listGroups',
        summary: 'The caller’s groups',
        querystring: z.strictObject(paging),
        response: { 200: GroupPage },
      },
    },
    ({ session: { actor }, query }) => inOwn(() => queries.listGroups({ userId: actor.userId, ...query })),
  );

  app.get(
    '/v1/groups/:groupId',
    {
      config: { scope: 'messages:read', refusals: ['GROUP_NOT_FOUND'] },
      schema: {
        tags,
        operationId: 'getGroup',
        summary: 'One group of the caller',
        params: z.strictObject({ groupId: GroupId }),
        response: { 200: GroupView },
      },
    },
    ({ session: { actor }, params: { groupId } }) =>
      asMember(groupId, actor, () => queries.getGroup({ userId: actor.userId, groupId })),
  );
}
