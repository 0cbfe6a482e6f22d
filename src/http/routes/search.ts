import { z } from 'zod';
import { GroupId } from '../../events/ids.ts';
import { fileLinks } from '../file-links.ts';
import { groupAccess, ownGroupsAccess } from '../group-access.ts';
import type { HttpApp, RouteDeps } from '../route-deps.ts';
import { Words, paging } from '../../protocol/schemas.ts';
import { MessagePage } from '../../protocol/views.ts';

/** Defines the routes of the full-text search in the caller's groups. */
export function searchRoutes(app: HttpApp, { queries, ...deps }: RouteDeps): void {
  const asMember = groupAccess(deps);
  const inOwn = ownGroupsAccess(deps);
  const links = fileLinks(deps);

  app.get(
    '/v1/search/messages',
    {
      config: { refusals: ['GROUP_NOT_FOUND'] },
      schema: {
        tags: ['Messages'],
        operationId: 'searchMessages',
        summary: 'Messages with these words, in the caller’s groups or one of them',
        querystring: z.strictObject({ q: Words, groupId: GroupId.optional(), ...paging }),
        response: { 200: MessagePage },
      },
    },
    (request) => {
      const {
        query,
        session: { actor },
      } = request;
      const search = async () => {
        const page = await queries.searchMessages({ userId: actor.userId, ...query });
        return { ...page, data: page.data.map(links.inMessages(request)) };
      };
      return query.groupId ? asMember(query.groupId, actor, search) : inOwn(search);
    },
  );
}
