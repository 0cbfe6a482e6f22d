import { type DatabasePool, sql } from 'slonik';
import { z } from 'zod';
import type { UserId } from '../events/ids.ts';

const Jobs = z.object({ found: z.boolean() });

/** Resolves with true if a company has ever posted a job. */
export const hasJobs = (db: DatabasePool, companyId: UserId): Promise<boolean> =>
  db.oneFirst(sql.type(Jobs)`
    select exists (select from jobs.jobs where company_id = ${companyId}) as found`);

const Person = z.object({ userId: z.string().brand<'UserId'>(), displayName: z.string() });

/** Resolves with the names of users. */
export async function namesOfUsers(
  db: DatabasePool,
  userIds: readonly UserId[],
): Promise<ReadonlyMap<UserId, string>> {
  const rows = await db.any(sql.type(Person)`
    select user_id as "userId", display_name as "displayName" from accounts.accounts
    where user_id = any(${sql.array([...userIds], 'uuid')})`);
  return new Map(rows.map(({ userId, displayName }) => [userId, displayName]));
}
