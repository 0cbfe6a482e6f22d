import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { EmailAddress } from '../../../auth/email-address.ts';
import type { Invitations } from '../../../auth/invitations.ts';
import { nameOfCompany } from '../../../commands/company/company-name.ts';
import { requireOwner } from '../../../commands/company/company.ts';
import {
  acceptInvitation,
  inviteTeammate,
  place,
  revokeInvitation,
} from '../../../commands/company/invitations.ts';
import { ensure } from '../../../commands/rejection.ts';
import { CompanyRole } from '../../../events/company.ts';
import { InvitationId } from '../../../events/ids.ts';
import { markup } from '../../../notifications/templates/html.ts';
import { Done, Id, LinkQuery, LinkToken, Position, Time, pageOf, paging } from '../../../protocol/schemas.ts';
import { cursorOf } from '../../../queries/cursor.ts';
import { commandRequest } from '../../command-request.ts';
import { companyAccess } from '../../company-access.ts';
import { page, sendPage, servePages } from '../../pages.ts';
import type { HttpApp, RouteDeps } from '../../route-deps.ts';

export interface InvitationRoutes {
  invitations: Invitations;
  /** The URL where users read their messages; undefined means this server. */
  siteUrl: string | undefined;
}

const PATH = '/v1/company/invitations';
const ACCEPT = '/v1/invitations/accept';
const PAGE = '/v1/invitations';

/** The path of the link in the letter. */
export const invitationPath = (token: string): string => `${PAGE}?token=${encodeURIComponent(token)}`;

const tags = ['Company'];

const InviteTeammate = z.strictObject({ email: EmailAddress, ...place }).meta({
  id: 'InviteTeammate',
  example: { email: 'grace@example.com', role: 'recruiter' },
});
const Invited = z.object({ invitationId: Id }).meta({ id: 'TeammateInvited' });
const InvitationView = z
  .object({
    invitationId: Id,
    email: z.string(),
    role: CompanyRole,
    jobIds: z.array(Id).nullable(),
    expiresAt: Time,
  })
  .meta({ id: 'Invitation' });
const InvitationPage = pageOf(InvitationView).meta({ id: 'InvitationPage' });
const AcceptInvitation = z
  .strictObject({ token: LinkToken })
  .meta({ id: 'AcceptInvitation', example: { token: 'That of the link in the letter' } });
const Accepted = z.object({ companyId: Id, position: Position }).meta({ id: 'InvitationAccepted' });

/** Cursors of invitations, in the order of their ids. */
const byInvitation = cursorOf(z.strictObject({ invitationId: z.uuid() }));

/** Defines the routes of the invitations to the caller's company, and of the one that the caller accepts. */
export function invitationRoutes(app: HttpApp, deps: RouteDeps & InvitationRoutes): void {
  const { invitations, positions } = deps;
  const ownCompany = companyAccess(deps);

  app.post(
    PATH,
    {
      config: {
        idempotentAs: 'InviteTeammate',
        refusals: [...inviteTeammate.refuses],
      },
      schema: {
        tags,
        operationId: 'inviteTeammate',
        summary: 'Invite an address to the company by a letter; the answer does not tell whether it is known',
        body: InviteTeammate,
        response: { 202: Invited },
      },
    },
    async (request, reply) => {
      const { companyId } = await ownCompany(request.session.actor);
      const invitationId = await invitations.invite(companyId, request.body, commandRequest(request));
      return reply.code(202).send({ invitationId });
    },
  );

  app.get(
    PATH,
    {
      config: { refusals: ['COMPANY_NOT_FOUND', 'NOT_COMPANY_OWNER'] },
      schema: {
        tags,
        operationId: 'listInvitations',
        summary: 'The open invitations to the company, oldest first',
        querystring: z.strictObject(paging),
        response: { 200: InvitationPage },
      },
    },
    async ({ session: { actor }, query: { cursor, limit } }) => {
      const after = byInvitation.read(cursor)?.invitationId ?? '';
      const { companyId, company } = await ownCompany(actor);
      requireOwner(company, actor);
      const open = await invitations.ofCompany(companyId);
      return byInvitation.page(
        open.filter(({ invitationId }) => invitationId > after),
        limit,
        ({ invitationId }) => ({ invitationId }),
        ({ invitationId, address, role, jobIds, expiresAt }) => ({
          ...{ invitationId, email: address, role, jobIds, expiresAt },
        }),
      );
    },
  );

  app.delete(
    `${PATH}/:invitationId`,
    {
      config: { refusals: [...revokeInvitation.refuses] },
      schema: {
        tags,
        operationId: 'revokeInvitation',
        summary: 'Take back an invitation that nobody has accepted',
        params: z.strictObject({ invitationId: InvitationId }),
        response: { 200: Done },
      },
    },
    async (request) => {
      const { companyId } = await ownCompany(request.session.actor);
      const { invitationId } = request.params;
      const position = await invitations.revoke(companyId, invitationId, commandRequest(request));
      return { position: positions.encode(position) };
    },
  );

  app.post(
    ACCEPT,
    {
      config: { idempotentAs: 'AcceptInvitation', refusals: [...acceptInvitation.refuses] },
      schema: {
        tags,
        operationId: 'acceptInvitation',
        summary: 'Join a company, in place of an empty one of one’s own; again is no fault',
        body: AcceptInvitation,
        response: { 200: Accepted },
      },
    },
    async (request) => {
      const { userId, role } = request.session.actor;
      ensure(role === 'company', 'ROLE_NOT_ALLOWED');
      const { token } = request.body;
      const { companyId, position } = await invitations.accept(token, userId, commandRequest(request));
      return { companyId, position: positions.encode(position) };
    },
  );
}

const TITLE = 'An invitation to a team';
const description = (invited: { companyName: string; role: CompanyRole; url: URL; token: string }) =>
  page(
    TITLE,
    markup`
    <p><b><bdi>${invited.companyName}</bdi></b> invites you to its team, in the role of ${invited.role}.</p>
    <p><a href="${invited.url.href}">Go on at ${invited.url.host}</a> with an account for companies that has no jobs
    of its own, or with a new one.</p>
    <p>Where you are asked for the invitation, it is</p>
    <p style="overflow-wrap: anywhere"><code>${invited.token}</code></p>`,
  );
const refusal = (why: string) => page(TITLE, markup`<p>${why}.</p><p>Ask the company for another one.</p>`);

/** Defines the page behind the link in a letter of invitation. */
export function invitationPageRoutes(
  parent: FastifyInstance,
  { invitations, loader, siteUrl }: InvitationRoutes & Pick<RouteDeps, 'loader'>,
): void {
  void parent.register(async (context) => {
    servePages(context, (_request, why) => refusal(why));
    context.withTypeProvider<ZodTypeProvider>().get(
      PAGE,
      {
        config: { refusals: ['INVITATION_NOT_FOUND'] },
        schema: {
          tags,
          summary:
            'A page that says who invites; it accepts nothing, because scanners of mail follow every link',
          operationId: 'showInvitation',
          security: [],
          produces: ['text/html'],
          querystring: LinkQuery,
          response: { 200: z.string() },
        },
      },
      async (request, reply) => {
        const { token } = request.query;
        const { companyId, role } = await invitations.open(token);
        const url = new URL(siteUrl ?? `${request.protocol}://${request.host}/`);
        // Browsers send no fragment, so that the token is in no log of the site.
        url.hash = new URLSearchParams({ invitation: token }).toString();
        const companyName = await nameOfCompany(loader, companyId);
        return sendPage(reply, description({ companyName, role, url, token }));
      },
    );
  });
}
