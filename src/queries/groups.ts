import { type DatabasePool, type FragmentSqlToken, sql } from 'slonik';
import { z } from 'zod';
import { CommandRejected } from '../commands/rejection.ts';
import { GroupKind, GroupRole, GroupStatus } from '../events/chat-group.ts';
import type { GroupId, UserId } from '../events/ids.ts';
import { type Page, type Paging, cursorOf } from './cursor.ts';
import { Message, erasure, message } from './message.ts';

const GroupRow = z.object({
  id: z.string(),
  groupId: z.string(),
  kind: GroupKind,
  jobId: z.string().nullable(),
  applicationId: z.string().nullable(),
  name: z.string(),
  status: GroupStatus,
  myRole: GroupRole,
  memberCount: z.number(),
  headSeq: z.number(),
  readSeq: z.number(),
  unreadCount: z.number(),
  createdAt: z.string(),
  lastMessageId: z.string().nullable(),
  hiddenSeq: z.number(),
  activity: z.number(),
});
export type Group = Omit<
  z.infer<typeof GroupRow>,
  'applicationId' | 'lastMessageId' | 'hiddenSeq' | 'activity'
> & {
  /** Of a thread. */
  applicationId?: string;
  lastMessage: Message | null;
};

/**
 * The groups that a user is an active member of. Unread are the messages of others after the read marker, or
 * since the user joined, that have not been deleted.
 */
export const groupsOf = (userId: UserId) => sql.fragment`
  select g.group_id as id, g.group_id as "groupId", g.kind, g.job_id as "jobId",
    g.application_id as "applicationId", g.name, g.status, mine.role as "myRole",
    g.member_count as "memberCount", coalesce(c.head_seq, 0) as "headSeq",
    greatest(r.seq, p.from_seq, 0) as "readSeq",
    coalesce(c.message_count, 0) - greatest(r.total, p.from_total, 0)
      - (coalesce(p.sent, 0) - greatest(r.own, p.from_own, 0)) - (
        select count(*) from conversations.messages d
        where d.group_id = mine.group_id and d.seq > greatest(r.seq, p.from_seq, 0) and d.deleted_at is not null
          and d.sender_id <> mine.user_id
      ) as "unreadCount",
    g.created_at as "createdAt", c.last_message_id as "lastMessageId", coalesce(p.hidden_seq, 0) as "hiddenSeq",
    greatest(g.position, c.last_position) as activity
  from chat_groups.members mine
  join chat_groups.groups g on g.group_id = mine.group_id
  left join conversations.conversations c on c.group_id = mine.group_id
  left join public.read_markers r on r.group_id = mine.group_id and r.user_id = mine.user_id
  left join conversations.participants p on p.group_id = mine.group_id and p.user_id = mine.user_id
  where mine.user_id = ${userId} and mine.is_active`;

/** Resolves with the rows and their last messages, as far as they are not hidden. */
export async function withLastMessages<R extends { lastMessageId: string | null; hiddenSeq: number }>(
  db: DatabasePool,
  rows: readonly R[],
): Promise<(R & { lastMessage: Message | null })[]> {
  const ids = rows.flatMap(({ lastMessageId }) => lastMessageId ?? []);
  const found = await db.any(sql.type(Message)`
    select ${message} from conversations.messages m ${erasure} where m.message_id = any (${sql.array(ids, 'uuid')})`);
  const messages = new Map(found.map((each) => [each.id, each]));
  return rows.map((row) => {
    const last = messages.get(row.lastMessageId ?? '');
    return { ...row, lastMessage: last && last.seq > row.hiddenSeq ? last : null };
  });
}

async function shown(db: DatabasePool, rows: readonly z.infer<typeof GroupRow>[]): Promise<Group[]> {
  const groups = await withLastMessages(db, rows);
  return groups.map(({ applicationId, lastMessageId: _, hiddenSeq: __, activity: ___, ...group }) => ({
    ...group,
    ...(applicationId !== null && { applicationId }),
  }));
}

/**
 * Pages go down from the latest activity at the time of the first page, `top`. Then they go up from there,
 * through the groups with activity since.
 */
const place = cursorOf(
  z.union([
    z.strictObject({ before: z.int().min(0), top: z.int().min(0) }),
    z.strictObject({ after: z.int().min(0) }),
  ]),
);
type Place = { before: number; top: number } | { after: number };

/**
 * Resolves with a page of rows that have an `activity`, the latest first. A row that moves up while the list is paged
 * appears at the end, also if it was shown before: none is missed.
 */
export async function latestFirst<R extends { activity: number }>(
  db: DatabasePool,
  row: z.ZodType<R>,
  source: FragmentSqlToken,
  { cursor, limit }: Paging,
): Promise<Page<R>> {
  const from: Place | undefined = place.read(cursor);
  const rows =
    from && 'after' in from
      ? await db.any(sql.type(row)`
          select * from (${source}) mine where activity > ${from.after}
          order by activity limit ${limit + 1}`)
      : await db.any(sql.type(row)`
          select * from (${source}) mine
          where ${from ? sql.fragment`activity < ${from.before}` : sql.fragment`true`}
          order by activity desc limit ${limit + 1}`);
  const page = place.page(
    rows,
    limit,
    ({ activity }): Place => {
      if (from && 'after' in from) return { after: activity };
      return { before: activity, top: from?.top ?? rows[0]!.activity };
    },
    (each) => each,
  );
  if (page.nextCursor !== null || !from || 'after' in from) return page;
  const hasMoved = await db.exists(sql.unsafe`
    select from (${source}) mine where activity > ${from.top}`);
  return { ...page, nextCursor: hasMoved ? place.at({ after: from.top }) : null };
}

/** Resolves with the caller's groups, ordered by their latest message or their creation, newest first. */
export async function listGroups(
  db: DatabasePool,
  { userId, ...paging }: Paging & { userId: UserId },
): Promise<Page<Group>> {
  const page = await latestFirst(db, GroupRow, groupsOf(userId), paging);
  return { ...page, data: await shown(db, page.data) };
}

/** Resolves with one group of the caller. Throws GROUP_NOT_FOUND for users who are not members. */
export async function getGroup(
  db: DatabasePool,
  { userId, groupId }: { userId: UserId; groupId: GroupId },
): Promise<Group> {
  const row = await db.maybeOne(sql.type(GroupRow)`${groupsOf(userId)} and mine.group_id = ${groupId}`);
  if (!row) throw new CommandRejected('GROUP_NOT_FOUND');
  return (await shown(db, [row]))[0]!;
}

/** What a socket needs to know of a group to enter its room. */
const Room = z.object({ groupId: z.string().brand<'GroupId'>(), kind: GroupKind });
export type Room = z.infer<typeof Room>;
const RoomsRow = z.object({ userId: z.string().brand<'UserId'>(), rooms: z.array(Room) });

/**
 * Resolves with all groups of each of these users, for the rooms of their sockets. Users without a group are
 * absent.
 */
export async function groupsOfUsers(
  db: DatabasePool,
  userIds: readonly UserId[],
): Promise<Map<UserId, readonly Room[]>> {
  const rows = await db.any(sql.type(RoomsRow)`
    select m.user_id as "userId", json_agg(json_build_object('groupId', g.group_id, 'kind', g.kind)) as rooms
    from chat_groups.members m join chat_groups.groups g on g.group_id = m.group_id
    where m.user_id = any (${sql.array(userIds, 'uuid')}) and m.is_active group by m.user_id`);
  return new Map(rows.map(({ userId, rooms }) => [userId, rooms]));
}
