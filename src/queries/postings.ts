import { type DatabasePool, sql } from 'slonik';
import { z } from 'zod';
import type { Page } from './cursor.ts';
import { type Job, type ListJobs, listJobs } from './jobs.ts';

/** More applications are not counted. */
const COUNTED = 1_000;

const CountRow = z.object({ jobId: z.string(), applications: z.int() });

/** A job as operators see it. */
export interface Posting extends Pick<Job, 'jobId' | 'title' | 'status' | 'conversations' | 'postedAt'> {
  company: { companyId: string; displayName: string };
  /** Without those that were withdrawn. */
  applications: number;
}

/** Resolves with the jobs of all companies or of one, in the order of `listJobs`, for operators. */
export async function listPostings(
  db: DatabasePool,
  asked: Omit<ListJobs, 'mine'>,
  jobs: (asked: ListJobs) => Promise<Page<Job>> = (all) => listJobs(db, all),
): Promise<Page<Posting>> {
  const { data, nextCursor } = await jobs(asked);
  const rows = await db.any(sql.type(CountRow)`
    select job_id as "jobId", (
      select count(*)::int from (
        select from applications.applications a where a.job_id = j.job_id and a.status <> 'withdrawn' limit ${COUNTED}
      ) counted
    ) as applications
    from unnest(${sql.array(
      data.map(({ jobId }) => jobId),
      'uuid',
    )}) j (job_id)`);
  const counts = new Map(rows.map(({ jobId, applications }) => [jobId, applications]));
  const view = ({ jobId, title, status, conversations, postedAt, company }: Job): Posting => ({
    ...{ jobId, title, status, conversations, postedAt },
    company: { companyId: company.companyId, displayName: company.name },
    applications: counts.get(jobId) ?? 0,
  });
  return { data: data.map(view), nextCursor };
}
