import { z } from 'zod';
import { CompanyRole, MAX_JOBS } from '../../events/company.ts';
import type { CompanyEvent } from '../../events/domain-event.ts';
import { InvitationId, JobId, UserId } from '../../events/ids.ts';
import { companyStream } from '../../events/streams.ts';
import { type Account, accountOf } from '../account/account.ts';
import { defineCommand } from '../command.ts';
import { ensure } from '../rejection.ts';
import { type Company, companyOf, openInvitations, recordedPlace, requireOwner } from './company.ts';

/** A role, and the jobs that it is about; without them all jobs. */
export const place = { role: CompanyRole, jobIds: z.array(JobId).max(MAX_JOBS).nullish() };

/** For how long an invitation can be accepted. */
export const INVITATION_DAYS = 7;
const DAY_MS = 86_400_000;
/** How many of a company can be open at a time. */
export const MAX_OPEN = 200;

const invitation = z.strictObject({ companyId: UserId, invitationId: InvitationId, ...place });

export const inviteTeammate = defineCommand<z.infer<typeof invitation>, { company: Company }, CompanyEvent>({
  name: 'InviteTeammate',
  input: invitation,
  refuses: ['COMPANY_NOT_FOUND', 'NOT_COMPANY_OWNER', 'TOO_MANY_INVITATIONS'],
  writes: ({ companyId }) => companyStream(companyId),
  reads: ({ companyId }) => ({ company: companyOf(companyId) }),
  decide: ({ jobIds = null, ...invited }, { company }, { actor, now }) => {
    requireOwner(company, actor);
    ensure(openInvitations(company, now).size < MAX_OPEN, 'TOO_MANY_INVITATIONS');
    const expiresAt = new Date(now.getTime() + INVITATION_DAYS * DAY_MS).toISOString();
    return [{ type: 'TeammateInvited', data: { ...invited, jobIds, expiresAt } }];
  },
});

const revocation = z.strictObject({ companyId: UserId, invitationId: InvitationId });

/** Takes an invitation back that nobody has accepted. */
export const revokeInvitation = defineCommand<z.infer<typeof revocation>, { company: Company }, CompanyEvent>(
  {
    name: 'RevokeInvitation',
    input: revocation,
    refuses: ['COMPANY_NOT_FOUND', 'NOT_COMPANY_OWNER', 'INVITATION_NOT_FOUND'],
    writes: ({ companyId }) => companyStream(companyId),
    reads: ({ companyId }) => ({ company: companyOf(companyId) }),
    decide: (revoked, { company }, { actor }) => {
      requireOwner(company, actor);
      ensure(company.invitations.has(revoked.invitationId), 'INVITATION_NOT_FOUND');
      return [{ type: 'InvitationRevoked', data: revoked }];
    },
  },
);

const acceptance = z.strictObject({
  companyId: UserId,
  invitationId: InvitationId,
  userId: UserId,
  /** Whether the person has jobs of a company of its own. */
  hasJobs: z.boolean(),
  /** Whether it has joined another company. */
  isElsewhere: z.boolean(),
});

/**
 * Lets an invited person join, once. It gives up a company of its own, which must be empty: nobody else is in it or
 * invited to it, and it has no jobs. Who has left the company that it founded has none. Who was removed comes back by an
 * invitation of later only.
 */
export const acceptInvitation = defineCommand<
  z.infer<typeof acceptance>,
  { company: Company; own: Company; account: Account },
  CompanyEvent
>({
  name: 'AcceptInvitation',
  input: acceptance,
  refuses: ['INVITATION_NOT_FOUND', 'ROLE_NOT_ALLOWED', 'COMPANY_NOT_EMPTY'],
  writes: ({ companyId }) => companyStream(companyId),
  reads: ({ companyId, userId }) => ({
    company: companyOf(companyId),
    own: companyOf(userId),
    account: accountOf(userId),
  }),
  decide: ({ companyId, invitationId, userId, ...bonds }, { company, own, account }, { now }) => {
    if (company.members.has(userId)) return [];
    ensure(account.status === 'registered' && account.role === 'company', 'ROLE_NOT_ALLOWED');
    const invited = openInvitations(company, now).get(invitationId);
    const isOfBefore = company.former.get(userId)?.has(invitationId) ?? false;
    ensure(invited !== undefined && !isOfBefore, 'INVITATION_NOT_FOUND');
    const isEmpty = !bonds.hasJobs && own.members.size === 1 && openInvitations(own, now).size === 0;
    ensure(!bonds.isElsewhere && (isEmpty || !own.members.has(userId)), 'COMPANY_NOT_EMPTY');
    return [{ type: 'TeammateJoined', data: { companyId, userId, invitationId, ...recordedPlace(invited) } }];
  },
});
