import { z } from 'zod';
import { nameOfCompany } from '../../../commands/company/company-name.ts';
import { renameCompany } from '../../../commands/company/rename-company.ts';
import { changeTeammate, removeTeammate } from '../../../commands/company/teammates.ts';
import { CompanyRole } from '../../../events/company.ts';
import { UserId } from '../../../events/ids.ts';
import { Done, Id, Position, bodyOf, pageOf, paging } from '../../../protocol/schemas.ts';
import { caughtUp } from '../../../projections/projection.ts';
import { cursorOf } from '../../../queries/cursor.ts';
import { commandRequest } from '../../command-request.ts';
import { type CompanyOfCaller, companyAccess } from '../../company-access.ts';
import type { HttpApp, RouteDeps } from '../../route-deps.ts';

const tags = ['Company'];

const CompanyView = z
  .object({ companyId: Id, name: z.string(), myRole: CompanyRole })
  .meta({ id: 'Company' });
const ChangedCompany = CompanyView.extend({ position: Position }).meta({ id: 'ChangedCompany' });
const ChangeCompany = bodyOf(renameCompany, 'companyId').meta({
  id: 'ChangeCompany',
  example: { name: 'Acme Robotics' },
});

const TeammateView = z
  .object({
    userId: Id,
    displayName: z.string(),
    role: CompanyRole,
    jobIds: z.array(Id).nullable().describe('The jobs that the role is about; null for all of them'),
  })
  .meta({ id: 'Teammate' });
const TeammatePage = pageOf(TeammateView).meta({ id: 'TeammatePage' });
const ChangeTeammate = bodyOf(changeTeammate, 'companyId', 'userId').meta({
  id: 'ChangeTeammate',
  example: { role: 'recruiter', jobIds: null },
});

/** Cursors of the people of a company, in the order of their ids. */
const byUser = cursorOf(z.strictObject({ userId: z.uuid() }));

/** Defines the routes of the caller's company and of the people in it. Its owners change both. */
export function companyRoutes(app: HttpApp, { handle, queries, positions, ...deps }: RouteDeps): void {
  const { loader, progress, head } = deps;
  const ownCompany = companyAccess({ ...deps, queries });
  const view = async ({ companyId, me }: CompanyOfCaller) => ({
    companyId,
    name: await nameOfCompany(loader, companyId),
    myRole: me.role,
  });

  app.get(
    '/v1/company',
    {
      config: { refusals: ['COMPANY_NOT_FOUND'] },
      schema: {
        tags,
        operationId: 'getCompany',
        summary: 'The company of the caller: the one that it has joined, or its own',
        response: { 200: CompanyView },
      },
    },
    async ({ session: { actor } }) => view(await ownCompany(actor)),
  );

  app.patch(
    '/v1/company',
    {
      config: { refusals: [...renameCompany.refuses] },
      schema: {
        tags,
        operationId: 'changeCompany',
        summary: 'Rename the company',
        body: ChangeCompany,
        response: { 200: ChangedCompany },
      },
    },
    async (request) => {
      const own = await ownCompany(request.session.actor);
      const change = { companyId: own.companyId, ...request.body };
      const { position } = await handle(renameCompany, change, commandRequest(request));
      return { ...(await view(own)), position: positions.encode(position) };
    },
  );

  app.get(
    '/v1/company/members',
    {
      config: { refusals: ['COMPANY_NOT_FOUND'] },
      schema: {
        tags,
        operationId: 'listTeammates',
        summary: 'The people of the caller’s company',
        querystring: z.strictObject(paging),
        response: { 200: TeammatePage },
      },
    },
    async ({ session: { actor }, query: { cursor, limit } }) => {
      const after = byUser.read(cursor)?.userId ?? '';
      const { company } = await ownCompany(actor);
      const rest = [...company.members.keys()].filter((userId) => userId > after).toSorted();
      await caughtUp(progress, await head(), ['accounts']);
      const names = await queries.namesOfUsers(rest.slice(0, limit));
      return byUser.page(
        rest,
        limit,
        (userId) => ({ userId }),
        (userId) => {
          const { role, jobIds } = company.members.get(userId)!;
          return { userId, displayName: names.get(userId) ?? '', role, jobIds: jobIds && [...jobIds] };
        },
      );
    },
  );

  const params = z.strictObject({ userId: UserId });

  app.patch(
    '/v1/company/members/:userId',
    {
      config: { refusals: [...changeTeammate.refuses] },
      schema: {
        tags,
        operationId: 'changeTeammate',
        summary: 'Change the role of somebody in the company, or the jobs that it is about',
        params,
        body: ChangeTeammate,
        response: { 200: Done },
      },
    },
    async (request) => {
      const { companyId } = await ownCompany(request.session.actor);
      const change = { companyId, ...request.params, ...request.body };
      const { position } = await handle(changeTeammate, change, commandRequest(request));
      return { position: positions.encode(position) };
    },
  );

  app.delete(
    '/v1/company/members/:userId',
    {
      config: { refusals: [...removeTeammate.refuses] },
      schema: {
        tags,
        operationId: 'removeTeammate',
        summary: 'Remove somebody from the company, or leave it; this ends all access at once',
        params,
        response: { 200: Done },
      },
    },
    async (request) => {
      const { companyId } = await ownCompany(request.session.actor);
      const removal = { companyId, ...request.params };
      const { position } = await handle(removeTeammate, removal, commandRequest(request));
      return { position: positions.encode(position) };
    },
  );
}
