import { z } from 'zod';
import { GroupId } from '../../events/ids.ts';
import { fileLinks } from '../file-links.ts';
import { groupAccess, ownGroupsAccess } from '../group-access.ts';
import type { HttpApp, RouteDeps } from '../route-deps.ts';
import { paging } from '../../protocol/schemas.ts';
import { GroupPage, GroupView } from '../../protocol/views.ts';

const tags = ['Groups'];

/** Defines the routes of the caller's groups. */
export function groupRoutes(app: HttpApp, { queries, ...deps }: RouteDeps): void {
  const asMember = groupAccess(deps);
  const inOwn = ownGroupsAccess(deps);
  const links = fileLinks(deps);

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
    (request) =>
      inOwn(async () => {
        const { userId } = request.session.actor;
        const page = await queries.listGroups({ userId, ...request.query });
        return { ...page, data: page.data.map(links.inLastMessages(request)) };
      }),
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
    (request) => {
      const { actor } = request.session;
      const { groupId } = request.params;
      return asMember(groupId, actor, async () =>
        links.inLastMessages(request)(await queries.getGroup({ userId: actor.userId, groupId })),
      );
    },
  );
}
