import { z } from 'zod';
import { InvitationId, JobId, UserId } from './ids.ts';
import { named, text } from './text.ts';

/** What a person may do in a company, see src/commands/company/rights.ts. */
export const CompanyRole = z.enum(['owner', 'recruiter', 'interviewer', 'viewer']);
export type CompanyRole = z.infer<typeof CompanyRole>;

const CompanyName = text(1, 200);
export const NewCompanyName = named(CompanyName);

/** The jobs that somebody has to do with; null for all of them. */
export const MAX_JOBS = 1_000;
const jobIds = z.array(JobId).max(MAX_JOBS).nullable();

/** Whose role, and in which jobs. */
const place = { role: CompanyRole, jobIds };

/**
 * A company is founded by its first owner, whose id it has, without an event: every account of a company was one from the
 * beginning. The addresses of invitations and their tokens are kept beside the log.
 */
export const companyEvents = {
  CompanyRenamed: z.strictObject({ companyId: UserId, name: CompanyName }),
  /** Can be accepted once, until `expiresAt`. */
  TeammateInvited: z.strictObject({
    companyId: UserId,
    invitationId: InvitationId,
    ...place,
    expiresAt: z.iso.datetime({ precision: 3 }),
  }),
  InvitationRevoked: z.strictObject({ companyId: UserId, invitationId: InvitationId }),
  TeammateJoined: z.strictObject({
    companyId: UserId,
    userId: UserId,
    invitationId: InvitationId,
    ...place,
  }),
  TeammateChanged: z.strictObject({ companyId: UserId, userId: UserId, ...place }),
  /** From here on the person has nothing to do with the company, in none of its rooms. */
  TeammateRemoved: z.strictObject({ companyId: UserId, userId: UserId }),
};
