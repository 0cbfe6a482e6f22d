import { type DatabasePool, sql } from 'slonik';
import { z } from 'zod';
import type { Actor } from '../commands/command.ts';
import { CommandRejected, ensure } from '../commands/rejection.ts';
import { ApplicationStatus } from '../events/application.ts';
import type { ApplicationId, JobId } from '../events/ids.ts';
import { type Page, type Paging, byPosition } from './cursor.ts';
import { getJob } from './jobs.ts';

const ApplicationRow = z.object({
  id: z.string(),
  applicationId: z.string(),
  jobId: z.string().brand<'JobId'>(),
  groupId: z.string(),
  applicantId: z.string().brand<'UserId'>(),
  status: ApplicationStatus,
  reason: z.string().nullable(),
  coverLetter: z.string().nullable(),
  submittedAt: z.string(),
  position: z.number(),
});
export type Application = Omit<z.infer<typeof ApplicationRow>, 'position'>;

const application = sql.fragment`
  a.application_id as id, a.application_id as "applicationId", a.job_id as "jobId", a.group_id as "groupId",
  a.applicant_id as "applicantId", a.status, a.reason, a.cover_letter as "coverLetter",
  a.submitted_at as "submittedAt", a.position`;

const view = ({ position: _, ...shown }: z.infer<typeof ApplicationRow>): Application => shown;

export interface ListApplications extends Paging {
  actor: Actor;
  jobId?: JobId | undefined;
}

/**
 * Resolves with applications, newest first: without a job, the caller's own; with a job, all of them for the
 * company that posted it, and an applicant's own for an applicant. Throws JOB_NOT_FOUND, and NOT_JOB_OWNER
 * for another company.
 */
export async function listApplications(
  db: DatabasePool,
  { actor, jobId, cursor, limit }: ListApplications,
): Promise<Page<Application>> {
  const before = byPosition.read(cursor)?.position;
  const job = jobId === undefined ? undefined : await getJob(db, { jobId });
  const isOwner = job?.companyId === actor.userId;
  ensure(isOwner || !job || actor.role !== 'company', 'NOT_JOB_OWNER');
  const rows = await db.any(sql.type(ApplicationRow)`
    select ${application} from applications.applications a
    where ${before === undefined ? sql.fragment`true` : sql.fragment`a.position < ${before}`}
      and ${jobId === undefined ? sql.fragment`true` : sql.fragment`a.job_id = ${jobId}`}
      and ${isOwner ? sql.fragment`true` : sql.fragment`a.applicant_id = ${actor.userId}`}
    order by a.position desc limit ${limit + 1}`);
  return byPosition.page(rows, limit, ({ position }) => ({ position }), view);
}

const Found = z.object({ found: z.boolean() });

/** Resolves with true if anybody has applied for a job. */
export const hasApplications = (db: DatabasePool, jobId: JobId): Promise<boolean> =>
  db.oneFirst(sql.type(Found)`
    select exists (select from applications.applications where job_id = ${jobId}) as found`);

/**
 * Resolves with one application, for the applicant and the company that posted the job. Throws
 * APPLICATION_NOT_FOUND for others.
 */
export async function getApplication(
  db: DatabasePool,
  { actor, applicationId }: { actor: Actor; applicationId: ApplicationId },
): Promise<Application> {
  const row = await db.maybeOne(sql.type(ApplicationRow)`
    select ${application} from applications.applications a
    left join jobs.jobs j on j.job_id = a.job_id
    where a.application_id = ${applicationId}
      and ${actor.userId} in (a.applicant_id, j.company_id)`);
  if (!row) throw new CommandRejected('APPLICATION_NOT_FOUND');
  return view(row);
}
