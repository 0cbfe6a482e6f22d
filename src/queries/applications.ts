import { type DatabasePool, sql } from 'slonik';
import { z } from 'zod';
import type { Actor } from '../commands/command.ts';
import { CommandRejected } from '../commands/rejection.ts';
import { ApplicationStatus } from '../events/application.ts';
import type { ApplicationId, JobId, UserId } from '../events/ids.ts';
import { type Page, type Paging, byPosition } from './cursor.ts';
import { isStaffWith } from './staff.ts';

const ApplicationRow = z.object({
  id: z.string(),
  applicationId: z.string(),
  jobId: z.string().brand<'JobId'>(),
  groupId: z.string(),
  applicantId: z.string().brand<'UserId'>(),
  applicant: z.object({ userId: z.string().brand<'UserId'>(), displayName: z.string() }),
  status: ApplicationStatus,
  reason: z.string().nullable(),
  coverLetter: z.string().nullable(),
  submittedAt: z.string(),
  assigneeId: z.string().brand<'UserId'>().nullable(),
  position: z.number(),
});
export type Application = Omit<z.infer<typeof ApplicationRow>, 'position' | 'assigneeId'> & {
  /** Who of the company sees to it. Applicants do not learn that. */
  assigneeId?: UserId | null;
};

const application = sql.fragment`
  a.application_id as id, a.application_id as "applicationId", a.job_id as "jobId", a.group_id as "groupId",
  a.applicant_id as "applicantId",
  json_build_object('userId', a.applicant_id, 'displayName', coalesce(p.display_name, '')) as applicant,
  a.status, a.reason, a.cover_letter as "coverLetter", a.submitted_at as "submittedAt", a.assignee_id as "assigneeId",
  a.position`;

/** Joins to an application `a`: its job, and who made it. */
const circumstances = sql.fragment`
  left join jobs.jobs j on j.job_id = a.job_id
  left join accounts.accounts p on p.user_id = a.applicant_id`;

const viewFor =
  ({ userId }: Actor) =>
  ({ position: _, assigneeId, ...shown }: z.infer<typeof ApplicationRow>): Application =>
    shown.applicantId === userId ? shown : { ...shown, assigneeId };

const isReadableBy = (userId: UserId) =>
  isStaffWith('readThreads', userId, {
    companyId: sql.fragment`j.company_id`,
    jobId: sql.fragment`a.job_id`,
    assigneeId: sql.fragment`a.assignee_id`,
  });

export interface ListApplications extends Paging {
  actor: Actor;
  jobId?: JobId | undefined;
}

/**
 * Resolves with applications, newest first: without a job, the caller's own; with a job, those that the caller may read
 * as one of the company's people, and an applicant's own for an applicant.
 */
export async function listApplications(
  db: DatabasePool,
  { actor, jobId, cursor, limit }: ListApplications,
): Promise<Page<Application>> {
  const before = byPosition.read(cursor)?.position;
  const isForStaff = jobId !== undefined && actor.role === 'company';
  const rows = await db.any(sql.type(ApplicationRow)`
    select ${application} from applications.applications a ${circumstances}
    where ${before === undefined ? sql.fragment`true` : sql.fragment`a.position < ${before}`}
      and ${jobId === undefined ? sql.fragment`true` : sql.fragment`a.job_id = ${jobId}`}
      and ${isForStaff ? isReadableBy(actor.userId) : sql.fragment`a.applicant_id = ${actor.userId}`}
    order by a.position desc limit ${limit + 1}`);
  return byPosition.page(rows, limit, ({ position }) => ({ position }), viewFor(actor));
}

const Found = z.object({ found: z.boolean() });

/** Resolves with true if anybody has applied for a job. */
export const hasApplications = (db: DatabasePool, jobId: JobId): Promise<boolean> =>
  db.oneFirst(sql.type(Found)`
    select exists (select from applications.applications where job_id = ${jobId}) as found`);

const Subject = z.object({ jobId: z.string().brand<'JobId'>(), applicantId: z.string().brand<'UserId'>() });

/** Resolves with the job and the applicant of an application, which name its stream, for the server itself. */
export const subjectOf = (db: DatabasePool, applicationId: ApplicationId) =>
  db.maybeOne(sql.type(Subject)`
    select job_id as "jobId", applicant_id as "applicantId" from applications.applications
    where application_id = ${applicationId}`);

/**
 * Resolves with one application, for the applicant and the company's people who may read it. Throws
 * APPLICATION_NOT_FOUND for others.
 */
export async function getApplication(
  db: DatabasePool,
  { actor, applicationId }: { actor: Actor; applicationId: ApplicationId },
): Promise<Application> {
  const row = await db.maybeOne(sql.type(ApplicationRow)`
    select ${application} from applications.applications a ${circumstances}
    where a.application_id = ${applicationId}
      and (a.applicant_id = ${actor.userId} or ${isReadableBy(actor.userId)})`);
  if (!row) throw new CommandRejected('APPLICATION_NOT_FOUND');
  return viewFor(actor)(row);
}
