import { z } from 'zod';
import { endAccess } from '../../../commands/audit/end-access.ts';
import { grantAccess } from '../../../commands/audit/grant-access.ts';
import { GrantScope } from '../../../events/audit.ts';
import { GrantId } from '../../../events/ids.ts';
import { Done, Id, Position, Time, bodyOf, pageOf, paging } from '../../../protocol/schemas.ts';
import { commandRequest } from '../../command-request.ts';
import type { HttpApp, RouteDeps } from '../../route-deps.ts';

const tags = ['Audit'];
const url = '/v1/audit/access-grants';

const GrantAccess = bodyOf(grantAccess, 'grantId').meta({
  id: 'GrantAccess',
  example: {
    reason: 'Complaint 4711',
    scope: { groupId: '01900000-0000-7000-8000-000000000001' },
    minutes: 30,
  },
});
const Granted = z.object({ grantId: Id, expiresAt: Time, position: Position }).meta({ id: 'AccessGranted' });
const AccessGrant = z
  .object({
    grantId: Id,
    auditorId: Id,
    reason: z.string(),
    scope: GrantScope,
    grantedAt: Time,
    expiresAt: Time,
    endedAt: Time.nullable().describe('When the auditor ended it early'),
  })
  .meta({ id: 'AccessGrant' });

/** Defines the routes of access grants: personal text is opened for a reason, for a while, and on the record. */
export function accessGrantRoutes(app: HttpApp, { handle, queries, positions, newId }: RouteDeps): void {
  app.post(
    url,
    {
      config: { for: 'auditors', idempotentAs: 'GrantAccess', refusals: [...grantAccess.refuses] },
      schema: {
        tags,
        operationId: 'grantAccess',
        summary: 'Open the personal text of one user or one group to oneself, for at most an hour',
        body: GrantAccess,
        response: { 201: Granted },
      },
    },
    async (request, reply) => {
      const asked = { grantId: GrantId.parse(newId()), ...request.body };
      const { events, position } = await handle(grantAccess, asked, commandRequest(request));
      const [granted] = events;
      if (granted?.type !== 'AccessGranted') throw new Error('GrantAccess must return an AccessGranted');
      const { grantId, expiresAt } = granted.data;
      return reply.code(201).send({ grantId, expiresAt, position: positions.encode(position) });
    },
  );

  app.get(
    url,
    {
      config: { for: 'auditors' },
      schema: {
        tags,
        operationId: 'listAccessGrants',
        summary: 'The grants of all auditors, newest first',
        querystring: z.strictObject(paging),
        response: { 200: pageOf(AccessGrant).meta({ id: 'AccessGrantPage' }) },
      },
    },
    async ({ query }) => {
      const { data, nextCursor } = await queries.listGrants(query);
      return { data: data.map((grant) => ({ ...grant, scope: GrantScope.parse(grant.scope) })), nextCursor };
    },
  );

  app.delete(
    `${url}/:grantId`,
    {
      config: { for: 'auditors', refusals: [...endAccess.refuses] },
      schema: {
        tags,
        operationId: 'endAccess',
        summary: 'End a grant of one’s own early; again is no fault',
        params: z.strictObject({ grantId: GrantId }),
        response: { 200: Done },
      },
    },
    async (request) => {
      const { position } = await handle(endAccess, request.params, commandRequest(request));
      return { position: positions.encode(position) };
    },
  );
}
