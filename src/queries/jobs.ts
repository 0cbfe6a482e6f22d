import { type DatabasePool, type FragmentSqlToken, sql } from 'slonik';
import { z } from 'zod';
import { CommandRejected } from '../commands/rejection.ts';
import type { JobId } from '../events/ids.ts';
import { Conversations, HistoryFrom, JobStatus } from '../events/job.ts';
import { searchQuery } from '../search/query.ts';
import type { Page, Paging } from './cursor.ts';
import { byRank, newestFirst } from './newest-first.ts';

const JobRow = z.object({
  id: z.string(),
  jobId: z.string(),
  groupId: z.string(),
  companyId: z.string(),
  title: z.string(),
  description: z.string(),
  location: z.string().nullable(),
  status: JobStatus,
  conversations: Conversations,
  historyFrom: HistoryFrom,
  postedAt: z.string(),
  position: z.number(),
});
export type Job = Omit<z.infer<typeof JobRow>, 'position'>;

const job = sql.fragment`
  job_id as id, job_id as "jobId", group_id as "groupId", company_id as "companyId", title, description, location,
  status, conversations, history_from as "historyFrom", posted_at as "postedAt", position`;

type Row = z.infer<typeof JobRow> & { rank?: 2 | undefined };
const view = ({ position: _, rank: __, ...shown }: Row): Job => shown;

export interface ListJobs extends Paging {
  /** Words that the posting must contain, in the syntax of a search engine. The last one may be incomplete. */
  q?: string | undefined;
  status?: JobStatus | undefined;
}

/**
 * Resolves with jobs, newest first; jobs with the words as typed come before those with other accents. All
 * users may see them.
 */
export async function listJobs(db: DatabasePool, { q, status, cursor, limit }: ListJobs): Promise<Page<Job>> {
  const after = byRank.read(cursor);
  const hasStatus = status === undefined ? sql.fragment`true` : sql.fragment`status = ${status}`;
  const page = (rows: readonly Row[]) =>
    byRank.page(rows, limit, ({ position, rank }) => ({ position, rank }), view);
  const inOrder = async (condition: FragmentSqlToken) =>
    page(
      await db.any(sql.type(JobRow)`
        select ${job} from jobs.jobs
        where ${after ? sql.fragment`position < ${after.position}` : sql.fragment`true`} and ${hasStatus}
          and ${condition}
        order by position desc limit ${limit + 1}`),
    );
  if (q === undefined) return inOrder(sql.fragment`true`);
  const query = searchQuery(q, { isTyping: true });
  if (query === undefined) return { data: [], nextCursor: null };
  // Nearly every job lacks the word, so scanning them in order is faster than the index of words.
  if (query.matchesOthers) return inOrder(sql.fragment`terms @@ ${query.asTyped}::tsquery`);
  return page(
    await newestFirst(
      db,
      { readModel: 'jobs', query, after, wanted: limit + 1, hasManyKeys: false },
      (tx, stretch, wanted) =>
        tx.any(sql.type(JobRow)`
        with hits as materialized (
          select job_id, status, position from jobs.jobs where ${stretch.inIndex}
        ), found as materialized (
          select job_id from hits where ${stretch.within} and ${hasStatus} order by position desc limit ${wanted}
        )
        select ${job} from jobs.jobs where job_id in (select job_id from found) order by position desc`),
    ),
  );
}

/** Resolves with one job. Throws JOB_NOT_FOUND. */
export async function getJob(db: DatabasePool, { jobId }: { jobId: JobId }): Promise<Job> {
  const row = await db.maybeOne(sql.type(JobRow)`select ${job} from jobs.jobs where job_id = ${jobId}`);
  if (!row) throw new CommandRejected('JOB_NOT_FOUND');
  return view(row);
}
