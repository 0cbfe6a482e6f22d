import type { Actor } from '../commands/command.ts';
import { companyOf } from '../commands/company/company.ts';
import { jobOf } from '../commands/job/job.ts';
import { ensure } from '../commands/rejection.ts';
import type { JobId } from '../events/ids.ts';
import { caughtUp } from '../projections/projection.ts';
import type { RouteDeps } from './route-deps.ts';

/**
 * Runs a query about the applications for a job, which shows what its caller may read. The log decides who is in the
 * company, because a read model that is behind would show it to somebody who was removed. Throws JOB_NOT_FOUND, and
 * NOT_JOB_OWNER for other companies.
 */
export const jobAccess =
  ({ loader, progress }: Pick<RouteDeps, 'loader' | 'progress'>) =>
  async <T>(jobId: JobId, { userId, role }: Actor, query: () => Promise<T>): Promise<T> => {
    const { state: job, position } = await loader.refresh(jobOf(jobId));
    ensure(job.status !== 'none', 'JOB_NOT_FOUND');
    let known = position;
    if (role === 'company') {
      const company = await loader.refresh(companyOf(job.companyId));
      ensure(company.state.members.has(userId), 'NOT_JOB_OWNER');
      known = Math.max(known, company.position);
    }
    await caughtUp(progress, known);
    return query();
  };
