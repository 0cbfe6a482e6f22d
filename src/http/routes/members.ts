import { z } from 'zod';
import { addMember } from '../../commands/chat-group/add-member.ts';
import { removeMember } from '../../commands/chat-group/remove-member.ts';
import { GroupId, UserId } from '../../events/ids.ts';
import { commandRequest } from '../command-request.ts';
import { groupAccess } from '../group-access.ts';
import type { HttpApp, RouteDeps } from '../route-deps.ts';
import { Done, bodyOf, paging } from '../../protocol/schemas.ts';
import { MemberPage } from '../../protocol/views.ts';

const tags = ['Members'];
const params = z.strictObject({ groupId: GroupId });
const AddMember = bodyOf(addMember, 'groupId').meta({
  id: 'AddMember',
  example: { userId: '0199f5a0-3b1c-7c2e-9d4f-5a6b7c8d9e0f', role: 'admin' },
});

/** Defines the routes of a group's members. Admins add and remove members; a member may remove itself. */
export function memberRoutes(app: HttpApp, { handle, queries, positions, ...deps }: RouteDeps): void {
  const asMember = groupAccess(deps);

  app.get(
    '/v1/groups/:groupId/members',
    {
      config: { refusals: ['GROUP_NOT_FOUND'] },
      schema: {
        tags,
        operationId: 'listMembers',
        summary: 'The members of a group',
        params,
        querystring: z.strictObject(paging),
        response: { 200: MemberPage },
      },
    },
    async ({ session: { actor }, params: { groupId }, query }) => {
      const asked = { userId: actor.userId, groupId, ...query };
      const page = await asMember(groupId, actor, () => queries.listMembers(asked));
      const online = await deps.online(page.data.map(({ userId }) => userId));
      const data = page.data.map((member) => ({ ...member, online: online.has(member.userId) }));
      return { ...page, data };
    },
  );

  app.post(
    '/v1/groups/:groupId/members',
    {
      config: {
        scope: 'messages:write',
        idempotentAs: 'AddMember',
        refusals: [...addMember.refuses],
      },
      schema: {
        tags,
        operationId: 'addMember',
        summary: 'Add a member, or change its role; the company that posted the job may bring itself back',
        params,
        body: AddMember,
        response: { 200: Done },
      },
    },
    async (request) => {
      const addition = { ...request.params, ...request.body };
      const { position } = await handle(addMember, addition, commandRequest(request));
      return { position: positions.encode(position) };
    },
  );

  app.delete(
    '/v1/groups/:groupId/members/:userId',
    {
      config: { scope: 'messages:write', refusals: [...removeMember.refuses] },
      schema: {
        tags,
        operationId: 'removeMember',
        summary: 'Remove a member, or leave',
        params: params.extend({ userId: UserId }),
        response: { 200: Done },
      },
    },
    async (request) => {
      const { position } = await handle(removeMember, request.params, commandRequest(request));
      return { position: positions.encode(position) };
    },
  );
}
