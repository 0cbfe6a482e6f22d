import { type DatabasePool, type FragmentSqlToken, sql } from 'slonik';
import { z } from 'zod';
import type { Actor } from '../commands/command.ts';
import { CommandRejected } from '../commands/rejection.ts';
import type { JobId, UserId } from '../events/ids.ts';
import { Conversations, HistoryFrom, JobStatus } from '../events/job.ts';
import { searchQuery } from '../search/query.ts';
import type { Page, Paging } from './cursor.ts';
import { byRank, newestFirst } from './newest-first.ts';
import { companyIdOf, isStaffWith } from './staff.ts';

const JobRow = z.object({
  id: z.string(),
  jobId: z.string(),
  groupId: z.string(),
  companyId: z.string(),
  company: z.object({ companyId: z.string(), name: z.string() }),
  title: z.string(),
  description: z.string(),
  location: z.string().nullable(),
  status: JobStatus,
  conversations: Conversations,
  historyFrom: HistoryFrom,
  postedAt: z.string(),
  applicationId: z.string().nullable(),
  position: z.number(),
});
export type Job = Omit<z.infer<typeof JobRow>, 'applicationId' | 'position'> & {
  /** For an applicant: whether it has applied, and not withdrawn. */
  applied?: boolean;
  /** If it has. */
  applicationId?: string;
};

/** The columns of a job `j`, joined with its `circumstances`. Until somebody renames a company, it has its founder's name. */
const job = sql.fragment`
  j.job_id as id, j.job_id as "jobId", j.group_id as "groupId", j.company_id as "companyId",
  json_build_object(
    'companyId', j.company_id, 'name', coalesce(founder.company_name, founder.display_name, '')
  ) as company,
  j.title, j.description, j.location, j.status, j.conversations, j.history_from as "historyFrom",
  j.posted_at as "postedAt", own.application_id as "applicationId", j.position`;

/**
 * Joins to a job `j`: the founder of its company, and the application of the caller. They are no plain joins, so that no
 * plan reads all accounts first.
 */
const circumstancesFor = ({ userId }: Actor) => sql.fragment`
  left join lateral (
    select a.company_name, a.display_name from accounts.accounts a where a.user_id = j.company_id limit 1
  ) founder on true
  left join lateral (
    select a.application_id from applications.applications a
    where a.job_id = j.job_id and a.applicant_id = ${userId} and a.status <> 'withdrawn' limit 1
  ) own on true`;

/** The condition that a job `j` is one of the caller: of its company, as far as its role reaches, or one it has applied for. */
const isOwn = ({ userId, role }: Actor): FragmentSqlToken =>
  role === 'company'
    ? sql.fragment`j.company_id = ${companyIdOf(userId)} and ${isStaffWith('readTeamRoom', userId, {
        ...{ companyId: sql.fragment`j.company_id`, jobId: sql.fragment`j.job_id` },
        assigneeId: sql.fragment`null`,
      })}`
    : sql.fragment`j.job_id = any (array(
        select a.job_id from applications.applications a
        where a.applicant_id = ${userId} and a.status <> 'withdrawn'
      ))`;

type Row = z.infer<typeof JobRow> & { rank?: 2 | undefined };
const viewFor =
  ({ role }: Actor) =>
  ({ position: _, rank: __, applicationId, ...shown }: Row): Job =>
    role !== 'applicant'
      ? shown
      : applicationId === null
        ? { ...shown, applied: false }
        : { ...shown, applied: true, applicationId };

export interface ListJobs extends Paging {
  actor: Actor;
  /** Words that the posting must contain, in the syntax of a search engine. The last one may be incomplete. */
  q?: string | undefined;
  status?: JobStatus | undefined;
  /** Only the jobs of the caller's company that its role reaches; for an applicant those that it has applied for. */
  mine?: boolean | undefined;
  /** Only the jobs of this company. */
  companyId?: UserId | undefined;
}

/**
 * Resolves with jobs, newest first; jobs with the words as typed come before those with other accents. All
 * users may see them.
 */
export async function listJobs(
  db: DatabasePool,
  { actor, q, status, mine, companyId, cursor, limit }: ListJobs,
): Promise<Page<Job>> {
  const after = byRank.read(cursor);
  const hasStatus = status === undefined ? sql.fragment`true` : sql.fragment`j.status = ${status}`;
  const isOfCompany =
    companyId === undefined ? sql.fragment`true` : sql.fragment`j.company_id = ${companyId}`;
  const isAsked = sql.fragment`${hasStatus} and ${isOfCompany} and ${mine === true ? isOwn(actor) : sql.fragment`true`}`;
  const page = (rows: readonly Row[]) =>
    byRank.page(rows, limit, ({ position, rank }) => ({ position, rank }), viewFor(actor));
  const inOrder = async (condition: FragmentSqlToken) =>
    page(
      await db.any(sql.type(JobRow)`
        select ${job} from jobs.jobs j ${circumstancesFor(actor)}
        where ${after ? sql.fragment`j.position < ${after.position}` : sql.fragment`true`} and ${isAsked}
          and ${condition}
        order by j.position desc limit ${limit + 1}`),
    );
  if (q === undefined) return inOrder(sql.fragment`true`);
  const query = searchQuery(q, { isTyping: true });
  if (query === undefined) return { data: [], nextCursor: null };
  // Nearly every job lacks the word, so scanning them in order is faster than the index of words.
  if (query.matchesOthers) return inOrder(sql.fragment`j.terms @@ ${query.asTyped}::tsquery`);
  return page(
    await newestFirst(
      db,
      { readModel: 'jobs', query, after, wanted: limit + 1, hasManyKeys: false },
      (tx, stretch, wanted) =>
        tx.any(sql.type(JobRow)`
        with hits as materialized (
          select job_id, company_id, status, position from jobs.jobs where ${stretch.inIndex}
        ), found as materialized (
          select job_id from hits j where ${stretch.within} and ${isAsked} order by position desc limit ${wanted}
        )
        select ${job} from jobs.jobs j ${circumstancesFor(actor)}
        where j.job_id in (select job_id from found) order by j.position desc`),
    ),
  );
}

/** Resolves with one job. Throws JOB_NOT_FOUND. */
export async function getJob(
  db: DatabasePool,
  { actor, jobId }: { actor: Actor; jobId: JobId },
): Promise<Job> {
  const row = await db.maybeOne(sql.type(JobRow)`
    select ${job} from jobs.jobs j ${circumstancesFor(actor)} where j.job_id = ${jobId}`);
  if (!row) throw new CommandRejected('JOB_NOT_FOUND');
  return viewFor(actor)(row);
}
