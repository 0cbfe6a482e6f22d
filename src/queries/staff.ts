import { type DatabasePool, type FragmentSqlToken, sql } from 'slonik';
import { z } from 'zod';
import { type CompanyRight, reachOf } from '../commands/company/rights.ts';
import { CompanyRole } from '../events/company.ts';
import type { UserId } from '../events/ids.ts';

/** The columns of what a right is asked for. */
interface Matter {
  companyId: FragmentSqlToken;
  jobId: FragmentSqlToken;
  assigneeId: FragmentSqlToken;
}

/** Returns the condition that a user has a right in the company of a matter. */
export function isStaffWith(
  right: CompanyRight,
  userId: UserId,
  { companyId, jobId, assigneeId }: Matter,
): FragmentSqlToken {
  const hasJob = sql.fragment`(s.job_ids is null or ${jobId} = any (s.job_ids))`;
  const conditions = {
    all: sql.fragment`true`,
    jobs: hasJob,
    assigned: sql.fragment`${hasJob} and ${assigneeId} is not distinct from s.user_id`,
    none: sql.fragment`false`,
  };
  const cases = CompanyRole.options.map(
    (role) => sql.fragment`when ${role} then ${conditions[reachOf(right, role)]}`,
  );
  return sql.fragment`exists (
    select from chat_groups.staff s
    where s.company_id = ${companyId} and s.user_id = ${userId}
      and case s.role ${sql.join(cases, sql.fragment` `)} else false end
  )`;
}

/** The company whose threads a user may read: the one that it has joined, or its own. */
export const companyIdOf = (userId: UserId): FragmentSqlToken => sql.fragment`coalesce((
    select s.company_id from chat_groups.staff s
    where s.user_id = ${userId} and s.role is not null and s.company_id <> s.user_id
    order by s.company_id limit 1
  ), ${userId}::uuid)`;

const CompanyRow = z.object({ companyId: z.string().brand<'UserId'>() });

/** Resolves with the company that a user has joined, or its own. */
export const companyOfUser = (db: DatabasePool, userId: UserId): Promise<UserId> =>
  db.oneFirst(sql.type(CompanyRow)`select ${companyIdOf(userId)} as "companyId"`);
