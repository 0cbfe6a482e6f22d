import { type DatabasePool, sql } from 'slonik';
import { z } from 'zod';
import type { UserId } from '../events/ids.ts';

const Found = z.object({ companyId: z.string().brand<'UserId'>() });

/** Resolves with the company that a user has joined; with the user's own, which has its id, if there is none. */
export const companyOfUser = async (db: DatabasePool, userId: UserId): Promise<UserId> =>
  (await db.maybeOneFirst(sql.type(Found)`
    select company_id as "companyId" from chat_groups.staff
    where user_id = ${userId} and role is not null and company_id <> user_id
    order by company_id limit 1`)) ?? userId;

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
