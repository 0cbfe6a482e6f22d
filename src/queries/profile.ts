import { type DatabasePool, sql } from 'slonik';
import { z } from 'zod';
import type { GroupId, UserId } from '../events/ids.ts';
import { isInList } from './members.ts';

const ProfileRow = z.object({
  userId: z.string().brand<'UserId'>(),
  displayName: z.string(),
  groupIds: z.array(z.string().brand<'GroupId'>()),
});

/** The name of a person, and the groups in whose lists of members it is. */
export type Profile = Omit<z.infer<typeof ProfileRow>, 'userId'>;

/** Resolves with the profiles of these people; those without an account are absent. */
export async function profilesOf(
  db: DatabasePool,
  userIds: readonly UserId[],
): Promise<Map<UserId, Profile>> {
  const rows = await db.any(sql.type(ProfileRow)`
    select a.user_id as "userId", a.display_name as "displayName", array(
      select m.group_id from chat_groups.members m
      left join conversations.participants p on p.group_id = m.group_id and p.user_id = m.user_id
      where m.user_id = a.user_id and m.is_active and ${isInList}
    ) as "groupIds"
    from accounts.accounts a where a.user_id = any (${sql.array(userIds, 'uuid')})`);
  return new Map(rows.map(({ userId, ...profile }) => [userId, profile]));
}

const ListedRow = z.object({ isListed: z.boolean() });

/** Resolves with true if a person is in the list of members of a group. */
export const isListed = (
  db: DatabasePool,
  { userId, groupId }: { userId: UserId; groupId: GroupId },
): Promise<boolean> =>
  db.oneFirst(sql.type(ListedRow)`
    select exists (
      select from chat_groups.members m
      left join conversations.participants p on p.group_id = m.group_id and p.user_id = m.user_id
      where m.group_id = ${groupId} and m.user_id = ${userId} and coalesce(m.is_active, false)
        and ${isInList}
    ) as "isListed"`);
