import { type DatabasePool, sql } from 'slonik';
import { z } from 'zod';
import type { UserId } from '../events/ids.ts';

const Person = z.object({ userId: z.string().brand<'UserId'>(), displayName: z.string() });
export type Person = z.infer<typeof Person>;

/**
 * Resolves with those of some users whose names somebody may know: the caller, companies that have posted a job, the people
 * of the caller's company, and of the groups that the caller may read now those who were ever added, or have written there.
 * Where history begins as members join, those who had left before are hidden like what they said.
 */
export async function listUsers(
  db: DatabasePool,
  { userId, ids }: { userId: UserId; ids: readonly UserId[] },
): Promise<{ data: Person[] }> {
  const isColleague = sql.fragment`exists (
    select from chat_groups.staff mine
    join chat_groups.staff theirs on theirs.company_id = mine.company_id and theirs.user_id = a.user_id
    where mine.user_id = ${userId} and mine.role is not null
  )`;
  // From their groups to the caller's: founders of companies, who have very many, are known before this is asked.
  const sharesGroup = sql.fragment`exists (
    select from conversations.participants p
    where p.user_id = a.user_id and (
      -- The roster of who has left is the group's version at that time, the caller's is no earlier than its arrival.
      select mine.is_active and (p.is_in or g.history_from = 'start' or theirs.roster > mine.roster)
      from chat_groups.members mine
      join chat_groups.groups g on g.group_id = mine.group_id
      left join chat_groups.members theirs on theirs.group_id = mine.group_id and theirs.user_id = a.user_id
      where mine.group_id = p.group_id and mine.user_id = ${userId}
    )
  )`;
  const data = await db.any(sql.type(Person)`
    select a.user_id as "userId", a.display_name as "displayName" from accounts.accounts a
    where a.user_id = any (${sql.array([...ids], 'uuid')}) and (
      a.user_id = ${userId} or exists (select from jobs.jobs j where j.company_id = a.user_id)
      or ${isColleague} or ${sharesGroup}
    )
    order by a.user_id`);
  return { data: [...data] };
}
