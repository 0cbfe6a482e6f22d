import { type DatabasePool, sql } from 'slonik';
import { z } from 'zod';
import { CommandRejected } from '../commands/rejection.ts';
import type { JobId } from '../events/ids.ts';
import { type Page, type Paging, byPosition } from './cursor.ts';
import { newestFirst } from './newest-first.ts';

const JobRow = z.object({
  id: z.string(),
  jobId: z.string(),
  groupId: z.string(),
  companyId: z.string(),
  title: z.string(),
  description: z.string(),
  location: z.string().nullable(),
  status: z.enum(['open', 'closed']),
  postedAt: z.string(),
  position: z.number(),
});
export type Job = Omit<z.infer<typeof JobRow>, 'position'>;

const job = sql.fragment`
  job_id as id, job_id as "jobId", group_id as "groupId", company_id as "companyId", title, description, location,
  status, posted_at as "postedAt", position`;

const view = ({ position: _, ...shown }: z.infer<typeof JobRow>): Job => shown;

export interface ListJobs extends Paging {
  /** Words that the posting has to contain, as for a search engine; the last one may be unfinished. */
  q?: string | undefined;
  status?: 'open' | 'closed' | undefined;
}

/** Jobs, newest first. Everybody may see them. */
export async function listJobs(db: DatabasePool, { q, status, cursor, limit }: ListJobs): Promise<Page<Job>> {
  const before = byPosition.read(cursor)?.position;
  const hasStatus = status === undefined ? sql.fragment`true` : sql.fragment`status = ${status}`;
  const page = (rows: readonly z.infer<typeof JobRow>[]) =>
    byPosition.page(rows, limit, ({ position }) => ({ position }), view);
  if (q === undefined)
    return page(
      await db.any(sql.type(JobRow)`
        select ${job} from jobs.jobs
        where ${before === undefined ? sql.fragment`true` : sql.fragment`position < ${before}`} and ${hasStatus}
        order by position desc limit ${limit + 1}`),
    );
  return page(
    await newestFirst(db, { readModel: 'jobs', before, wanted: limit + 1 }, (tx, stretch, wanted) =>
      tx.any(sql.type(JobRow)`
        with hits as materialized (
          select job_id, status, position from jobs.jobs where ${matching(q)} and ${stretch.inIndex}
        ), found as materialized (
          select job_id from hits where ${stretch.within} and ${hasStatus} order by position desc limit ${wanted}
        )
        select ${job} from jobs.jobs where job_id in (select job_id from found) order by position desc`),
    ),
  );
}

/** A query that ends in a word, not in a bracket, also finds what only begins with that word. */
const matching = (q: string) => sql.fragment`
  public.search_terms(title || ' ' || description || ' ' || coalesce(location, '')) @@ (
    select (asked::text || case when asked::text like '%''' then ':*' else '' end)::tsquery
    from public.search_query(${q}) asked
  )`;

/** One job. Throws JOB_NOT_FOUND. */
export async function getJob(db: DatabasePool, { jobId }: { jobId: JobId }): Promise<Job> {
  const row = await db.maybeOne(sql.type(JobRow)`select ${job} from jobs.jobs where job_id = ${jobId}`);
  if (!row) throw new CommandRejected('JOB_NOT_FOUND');
  return view(row);
}
