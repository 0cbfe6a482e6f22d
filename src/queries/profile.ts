import { type DatabasePool, sql } from 'slonik';
import { z } from 'zod';
import type { GroupId, UserId } from '../events/ids.ts';
import { isInList } from './members.ts';

const ProfileRow = z.object({
  displayName: z.string(),
  groupIds: z.array(z.string().brand<'GroupId'>()),
});

/** The name of a person, and the groups in whose lists of members it is. */
export type Profile = z.infer<typeof ProfileRow>;

/** Resolves with the profile of a person; null when there is no such account. */
export const profileOf = (db: DatabasePool, userId: UserId): Promise<Profile | null> =>
  db.maybeOne(sql.type(ProfileRow)`
    select a.display_name as "displayName", array(
      select m.group_id from chat_groups.members m
      left join conversations.participants p on p.group_id = m.group_id and p.user_id = m.user_id
      where m.user_id = a.user_id and m.is_active and ${isInList}
    ) as "groupIds"
    from accounts.accounts a where a.user_id = ${userId}`);

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
