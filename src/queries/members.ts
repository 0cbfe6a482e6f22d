import { type DatabasePool, sql } from 'slonik';
import { z } from 'zod';
import { CommandRejected } from '../commands/rejection.ts';
import { GroupRole } from '../events/chat-group.ts';
import type { GroupId, MessageId, UserId } from '../events/ids.ts';
import { type Page, type Paging, cursorOf } from './cursor.ts';

const MemberRow = z.object({
  userId: z.string().brand<'UserId'>(),
  displayName: z.string(),
  role: GroupRole,
  readSeq: z.number(),
  joinedAt: z.string(),
});
export type Member = z.infer<typeof MemberRow>;

const place = cursorOf(z.strictObject({ userId: z.uuid() }));
const ReachRow = z.object({ headSeq: z.number(), hiddenSeq: z.number() });

interface AskedReach {
  userId: UserId;
  groupId: GroupId;
}

/** Returns a query for the part of a group's conversation that an active member sees. For others it has no row. */
export const reach = ({ userId, groupId }: AskedReach) => sql.fragment`
  select coalesce(c.head_seq, 0) as "headSeq", coalesce(p.hidden_seq, 0) as "hiddenSeq"
  from chat_groups.members mine
  left join conversations.conversations c on c.group_id = mine.group_id
  left join conversations.participants p on p.group_id = mine.group_id and p.user_id = mine.user_id
  -- Written so that no partial index fits, which would read all groups of the user.
  where mine.group_id = ${groupId} and mine.user_id = ${userId} and coalesce(mine.is_active, false)`;

/**
 * Resolves with the part of a group's conversation that an active member sees: from after `hiddenSeq`, up to its head.
 * Throws GROUP_NOT_FOUND for others.
 */
export async function reachOfMember(db: DatabasePool, asked: AskedReach): Promise<z.infer<typeof ReachRow>> {
  const found = await db.maybeOne(sql.type(ReachRow)`${reach(asked)}`);
  if (!found) throw new CommandRejected('GROUP_NOT_FOUND');
  return found;
}

/**
 * The condition that the member `m`, who participates as `p`, is in the list of members. Of the company's people who may
 * read a thread, those are who have written there.
 */
export const isInList = sql.fragment`(m.is_joined or not m.is_thread or p.sent > 0)`;

const FirstRow = z.object({ groupId: z.string().brand<'GroupId'>(), firstSeq: z.number().nullable() });

/**
 * Resolves with the seq of the first message that a member sees in each of the groups; null where there is none yet.
 * Groups of which the member sees everything are absent.
 */
export async function firstSeqs(
  db: DatabasePool,
  { userId, groupIds }: { userId: UserId; groupIds: readonly GroupId[] },
): Promise<Map<GroupId, number | null>> {
  const rows = await db.any(sql.type(FirstRow)`
    select p.group_id as "groupId", (
      select m.seq from conversations.messages m
      where m.group_id = p.group_id and m.seq > p.hidden_seq order by m.seq limit 1
    ) as "firstSeq"
    from conversations.participants p
    where p.user_id = ${userId} and p.group_id = any (${sql.array(groupIds, 'uuid')}) and p.hidden_seq > 0`);
  return new Map(rows.map(({ groupId, firstSeq }) => [groupId, firstSeq]));
}

const UnseenRow = z.object({
  messageId: z.string().brand<'MessageId'>(),
  userIds: z.array(z.string().brand<'UserId'>()),
});

/** Resolves with the members who do not see a message, for each of the messages that some do not see. */
export async function unseenBy(
  db: DatabasePool,
  messageIds: readonly MessageId[],
): Promise<Map<MessageId, readonly UserId[]>> {
  const rows = await db.any(sql.type(UnseenRow)`
    select m.message_id as "messageId", array_agg(p.user_id) as "userIds"
    from conversations.messages m
    join conversations.participants p on p.group_id = m.group_id and p.is_in and p.hidden_seq >= m.seq
    where m.message_id = any (${sql.array(messageIds, 'uuid')}) group by m.message_id`);
  return new Map(rows.map(({ messageId, userIds }) => [messageId, userIds]));
}

/** The members of a group, and the version of its roster that they are at least as new as. */
export interface MemberPage extends Page<Member> {
  rosterHead: number;
}
const RosterRow = z.object({ roster: z.number() });

/**
 * Resolves with the members of a group, in a stable order. It does not show who is online. Throws
 * GROUP_NOT_FOUND.
 */
export async function listMembers(
  db: DatabasePool,
  { userId, groupId, cursor, limit }: Paging & { userId: UserId; groupId: GroupId },
): Promise<MemberPage> {
  const after = place.read(cursor)?.userId;
  await reachOfMember(db, { userId, groupId });
  const rosterHead = await db.oneFirst(sql.type(RosterRow)`
    select roster from chat_groups.groups where group_id = ${groupId}`);
  const rows = await db.any(sql.type(MemberRow)`
    select m.user_id as "userId", coalesce(a.display_name, '') as "displayName", m.role,
      greatest(r.seq, p.from_seq, 0) as "readSeq", m.joined_at as "joinedAt"
    from chat_groups.members m
    left join accounts.accounts a on a.user_id = m.user_id
    left join public.read_markers r on r.group_id = m.group_id and r.user_id = m.user_id
    left join conversations.participants p on p.group_id = m.group_id and p.user_id = m.user_id
    where m.group_id = ${groupId} and m.is_active
      and ${isInList}
      and ${after === undefined ? sql.fragment`true` : sql.fragment`m.user_id > ${after}`}
    order by m.user_id limit ${limit + 1}`);
  const page = place.page(
    rows,
    limit,
    ({ userId: last }) => ({ userId: last }),
    (member) => member,
  );
  return { ...page, rosterHead };
}

const MemberIdRow = z.object({ id: z.string().brand<'UserId'>() });

/** Resolves with the ids of all who may read a group. */
export async function memberIds(db: DatabasePool, groupId: GroupId): Promise<readonly UserId[]> {
  return db.anyFirst(sql.type(MemberIdRow)`
    select user_id as id from chat_groups.members where group_id = ${groupId} and is_active`);
}
