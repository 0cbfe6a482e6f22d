import { type DatabasePool, sql } from 'slonik';
import { z } from 'zod';
import type { GroupId, MessageId, UserId } from '../events/ids.ts';
import { groupsOf } from './groups.ts';

const UnreadRow = z.object({
  groupId: z.string().brand<'GroupId'>(),
  headSeq: z.number(),
  readSeq: z.number(),
  unreadCount: z.number(),
});
const UnreadOfUserRow = UnreadRow.extend({ userId: z.string().brand<'UserId'>() });

/** What a user has not read of a group, as of the event `headSeq` of its conversation. */
export type Unread = z.infer<typeof UnreadRow>;
export type UnreadOfUser = z.infer<typeof UnreadOfUserRow>;

const columns = sql.fragment`mine."groupId", mine."headSeq", mine."readSeq", mine."unreadCount"`;

/** Resolves with what a user has not read of some groups. Those that it may not read are left out. */
export async function unreadOf(
  db: DatabasePool,
  { userId, groupIds }: { userId: UserId; groupIds: readonly GroupId[] },
): Promise<readonly Unread[]> {
  return db.any(sql.type(UnreadRow)`
    select ${columns} from (
      ${groupsOf(userId)} and mine.group_id = any (${sql.array(groupIds, 'uuid')})
    ) mine`);
}

/** Resolves with what those of some users have not read who had not read one of the deleted messages. */
export async function unreadWithout(
  db: DatabasePool,
  { userIds, messageIds }: { userIds: readonly UserId[]; messageIds: readonly MessageId[] },
): Promise<readonly UnreadOfUser[]> {
  return db.any(sql.type(UnreadOfUserRow)`
    select distinct asked.user_id as "userId", ${columns}
    from conversations.messages gone
    cross join unnest(${sql.array(userIds, 'uuid')}) asked (user_id)
    cross join lateral (${groupsOf(sql.fragment`asked.user_id`)} and mine.group_id = gone.group_id) mine
    where gone.message_id = any (${sql.array(messageIds, 'uuid')}) and gone.deleted_at is not null
      and gone.sender_id <> asked.user_id and gone.seq > mine."readSeq"`);
}

/** Largest number of groups that are summed: it takes some 10 ms, and 20,000 groups some 300 ms. */
export const MOST_SUMMED = 500;
const CountRow = z.object({ count: z.number() });
const TotalRow = z.object({ total: z.number() });

/** Resolves with what a user has not read of all its groups; undefined when it has more than `MOST_SUMMED`. */
export async function unreadTotal(db: DatabasePool, userId: UserId): Promise<number | undefined> {
  const own = sql.fragment`
    select m.group_id from chat_groups.members m where m.user_id = ${userId} and m.is_active limit ${MOST_SUMMED + 1}`;
  const count = await db.oneFirst(sql.type(CountRow)`select count(*) as count from (${own}) own`);
  if (count > MOST_SUMMED) return undefined;
  return db.oneFirst(sql.type(TotalRow)`
    select coalesce(sum(mine."unreadCount"), 0)::bigint as total
    from (${groupsOf(userId)} and mine.group_id = any (array(${own}))) mine`);
}
