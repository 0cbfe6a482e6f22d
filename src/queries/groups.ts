import { type DatabasePool, type FragmentSqlToken, sql } from 'slonik';
import { z } from 'zod';
import { CommandRejected } from '../commands/rejection.ts';
import { GroupKind, GroupRole, GroupStatus } from '../events/chat-group.ts';
import type { Position } from '../events/event-store.ts';
import type { GroupId, UserId } from '../events/ids.ts';
import { type Page, type Paging, cursorOf } from './cursor.ts';
import { Message, circumstances, messageFor } from './message.ts';
import { companyIdOf } from './staff.ts';

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
  lastMessage: Message.nullable(),
});
const ListedRow = GroupRow.extend({ activity: z.number() });
export type Group = Omit<z.infer<typeof GroupRow>, 'applicationId'> & {
  /** Of a thread. */
  applicationId?: string;
};

const hiddenSeq = sql.fragment`coalesce(p.hidden_seq, 0)`;

/**
 * The groups that a user may read. Unread are the messages of others after the read marker, or
 * since the user joined, that have not been deleted. The last message is shown if it is not hidden.
 */
export const groupsOf = (userId: UserId | FragmentSqlToken) => sql.fragment`
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
    g.created_at as "createdAt", (
      select to_json(shown) from (
        select ${messageFor(userId, hiddenSeq)} from conversations.messages m ${circumstances}
        where m.message_id = c.last_message_id and m.seq > ${hiddenSeq}
      ) shown
    ) as "lastMessage"
  from chat_groups.members mine
  join chat_groups.groups g on g.group_id = mine.group_id
  left join conversations.conversations c on c.group_id = mine.group_id
  left join public.read_markers r on r.group_id = mine.group_id and r.user_id = mine.user_id
  left join conversations.participants p on p.group_id = mine.group_id and p.user_id = mine.user_id
  -- Written so that no partial index fits: a plan for many callers may read all groups of a user for each of a page.
  where mine.user_id = ${userId} and coalesce(mine.is_active, false)`;

const shown = ({ applicationId, ...group }: z.infer<typeof GroupRow>): Group => ({
  ...group,
  ...(applicationId !== null && { applicationId }),
});

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

/** A part of a list in the order of activity: those within `window`, a condition on `activity`, first in `order`. */
interface Stretch {
  window: FragmentSqlToken;
  /** Where the part ends before `limit` of them are found, as a condition on `activity` too. */
  end: FragmentSqlToken;
  order: FragmentSqlToken;
  limit: number | FragmentSqlToken;
}

/** Returns a query for ids of groups and their `activity`: the first ones of a stretch. */
export type Candidates = (stretch: Stretch) => FragmentSqlToken;

/** Number of groups that one call looks at to find those that few are. */
export const MOST_LOOKED_AT = 500;
/** The same as a part of a statement: of a parameter the planner does not know that it is small. */
export const mostLookedAt = sql.fragment`500`;

interface Listing<R> {
  row: z.ZodType<R>;
  candidates: Candidates;
  /** A query for what is shown of the group `page.group_id`. */
  rows: FragmentSqlToken;
  /**
   * A query for the activities of all groups among which candidates are looked for, where they may be few among very
   * many. A page then ends at `MOST_LOOKED_AT` groups, with fewer than asked for or none.
   */
  among?: Candidates | undefined;
}

/** Returns the part of a list that begins at a place. */
function stretchAt(from: Place | undefined, limit: number): Stretch & { isGoingUp: boolean } {
  const isGoingUp = from !== undefined && 'after' in from;
  return {
    isGoingUp,
    window: isGoingUp
      ? sql.fragment`activity > ${from.after}`
      : sql.fragment`activity < ${from?.before ?? Number.MAX_SAFE_INTEGER}`,
    end: sql.fragment`true`,
    order: isGoingUp ? sql.fragment`asc` : sql.fragment`desc`,
    limit,
  };
}

const Facts = z.object({
  /** The activity of the last group that the call examines; null if it examines all. */
  lookedTo: z.number().nullable(),
  /** On the last page: whether a group has moved up since the first page was read. Otherwise false. */
  hasMoved: z.boolean(),
});
type Facts = z.infer<typeof Facts>;
const NoGroup = Facts.extend({ activity: z.null() });

/**
 * Resolves with a page of groups, the latest activity first. A group that moves up while the list is paged appears at
 * the end, also if it was shown before: none is missed.
 */
export async function latestFirst<R extends { groupId: string; activity: number }>(
  db: DatabasePool,
  { row, candidates, rows, among }: Listing<R>,
  { cursor, limit }: Paging,
): Promise<Page<Omit<R & Facts, keyof Facts | 'activity'>>> {
  const from: Place | undefined = place.read(cursor);
  const { isGoingUp, ...stretch } = stretchAt(from, limit + 1);
  const { order } = stretch;
  if (among)
    stretch.end = isGoingUp
      ? sql.fragment`activity <= coalesce((select activity from looked), ${Number.MAX_SAFE_INTEGER})`
      : sql.fragment`activity >= coalesce((select activity from looked), 0)`;
  const looked = among
    ? sql.fragment`
        select activity from (${among({ ...stretch, limit: mostLookedAt })}) a offset ${MOST_LOOKED_AT - 1}`
    : sql.fragment`select null::bigint as activity`;
  const begun = from && 'top' in from ? from.top : undefined;
  // The limit is no parameter: the planner then knows that it is small.
  const above = (top: number) =>
    candidates({
      ...{ window: sql.fragment`activity > ${top}`, end: sql.fragment`true` },
      ...{ order: sql.fragment`asc`, limit: sql.fragment`1` },
    });
  const hasMoved =
    begun === undefined
      ? sql.fragment`false`
      : sql.fragment`(select count(*) from page) <= ${limit} and exists (${above(begun)})`;
  // The left join returns the facts even if the page is empty.
  const found = await db.any(sql.type(z.union([z.intersection(Facts, row), NoGroup]))`
    with looked as materialized (${looked}), page as materialized (${candidates(stretch)})
    select (select activity from looked) as "lookedTo", ${hasMoved} as "hasMoved", shown.*
    from (values (true)) one left join lateral (
      select page.activity, mine.* from page cross join lateral (${rows}) mine
    ) shown on true
    order by shown.activity ${order}`);
  const groups = found.filter((each): each is R & Facts => each.activity !== null);
  const [facts] = found;
  const top = begun ?? groups[0]?.activity;
  const onFrom = (activity: number): Place =>
    isGoingUp ? { after: activity } : { before: activity, top: top ?? activity };
  const page = place.page(
    groups,
    limit,
    ({ activity }) => onFrom(activity),
    ({ lookedTo: _, hasMoved: __, activity: ___, ...group }) => group,
  );
  if (page.nextCursor !== null || !facts) return page;
  if (facts.lookedTo !== null) return { ...page, nextCursor: place.at(onFrom(facts.lookedTo)) };
  return { ...page, nextCursor: facts.hasMoved && top !== undefined ? place.at({ after: top }) : null };
}

/** The condition that a user may read the thread `t`. It is no join, so that no plan reads all threads first. */
export const isInThread = (userId: UserId) => sql.fragment`(
  select m.is_active from chat_groups.members m where m.group_id = t.group_id and m.user_id = ${userId}
)`;

/** A user with fewer threads gets them sorted. Others have most of a company's, and these are read in order. */
const FEW_THREADS = 1_000;

/** The condition that a user has few threads. */
export const hasFewThreads = (userId: UserId) => sql.fragment`(
  select count(*) <= ${FEW_THREADS} from (
    select from chat_groups.members m
    where m.user_id = ${userId} and m.is_active and m.is_thread limit ${FEW_THREADS + 1}
  ) threads
)`;

/** A part of a statement that is read under a condition. PostgreSQL looks at it once, and skips the part if it fails. */
export type PartIf = (condition: FragmentSqlToken) => FragmentSqlToken;

/** Returns a query with two plans: one for users with few threads, the other one for everybody else. */
export const byNumberOfThreads = (userId: UserId, withFew: PartIf, withMany: PartIf) => sql.fragment`
  with threads as materialized (select ${hasFewThreads(userId)} as are_few)
  (${withFew(sql.fragment`(select are_few from threads)`)})
  union all
  (${withMany(sql.fragment`not (select are_few from threads)`)})`;

/** The condition that the thread `t` is one of the few of a user. */
export const isOneOfFew = (userId: UserId) => sql.fragment`
  t.group_id = any (array(
    select m.group_id from chat_groups.members m where m.user_id = ${userId} and m.is_active and m.is_thread
  ))`;

/** A user may have thousands of threads, so only as many as are needed are read, in order. */
function threadsByActivity(userId: UserId, { window, order, limit }: Stretch): FragmentSqlToken {
  const threadsWhere: PartIf = (condition) => sql.fragment`
    select t.group_id, t.activity from conversations.threads t
    where ${condition} and ${window}
    order by t.activity ${order} limit ${limit}`;
  const found = byNumberOfThreads(
    userId,
    (few) => threadsWhere(sql.fragment`${few} and ${isOneOfFew(userId)}`),
    (many) => sql.fragment`
      (${threadsWhere(sql.fragment`${many} and t.owner_id = ${companyIdOf(userId)} and ${isInThread(userId)}`)})
      union all
      (${threadsWhere(sql.fragment`${many} and t.applicant_id = ${userId} and ${isInThread(userId)}`)})`,
  );
  return sql.fragment`select * from (${found}) threads order by activity ${order} limit ${limit}`;
}

/** Other groups than threads are few. */
const groupsByActivity =
  (userId: UserId): Candidates =>
  (stretch) => {
    const { window, order, limit } = stretch;
    return sql.fragment`
      select * from (
        (${threadsByActivity(userId, stretch)})
        union all
        select * from (
          select g.group_id, greatest(g.position, c.last_position) as activity
          from chat_groups.members m
          join chat_groups.groups g on g.group_id = m.group_id
          left join conversations.conversations c on c.group_id = m.group_id
          where m.user_id = ${userId} and m.is_active and not m.is_thread
        ) rooms where ${window}
      ) found order by activity ${order} limit ${limit}`;
  };

/** Resolves with the caller's groups, ordered by their latest message or their creation, newest first. */
export async function listGroups(
  db: DatabasePool,
  { userId, ...paging }: Paging & { userId: UserId },
): Promise<Page<Group>> {
  const rows = sql.fragment`${groupsOf(userId)} and mine.group_id = page.group_id`;
  const candidates = groupsByActivity(userId);
  const page = await latestFirst(db, { row: ListedRow, candidates, rows }, paging);
  return { ...page, data: page.data.map(shown) };
}

/** Resolves with one group of the caller. Throws GROUP_NOT_FOUND for users who are not members. */
export async function getGroup(
  db: DatabasePool,
  { userId, groupId }: { userId: UserId; groupId: GroupId },
): Promise<Group> {
  const row = await db.maybeOne(sql.type(GroupRow)`${groupsOf(userId)} and mine.group_id = ${groupId}`);
  if (!row) throw new CommandRejected('GROUP_NOT_FOUND');
  return shown(row);
}

/** What a socket needs to know of a group to enter its room. */
const Room = z.object({ groupId: z.string().brand<'GroupId'>(), kind: GroupKind });
export type Room = z.infer<typeof Room>;

/** The rooms for the sockets of a user. */
export interface Rooms {
  rooms: readonly Room[];
  /** The user has more threads than it gets rooms for. Others than the latest are heard on request. */
  hasMore: boolean;
}
const RoomsRow = z.object({
  userId: z.string().brand<'UserId'>(),
  rooms: z.array(Room),
  hasMore: z.boolean(),
});
const ThreadRow = z.object({ groupId: z.string().brand<'GroupId'>() });

/** Largest number of threads whose rooms a socket enters by itself: those with the latest activity. */
export const MOST_THREADS = 500;

/**
 * Resolves with the groups of each of these users, for the rooms of their sockets: all of them, but of more than
 * `MOST_THREADS` threads the latest. Users without a group are absent.
 */
export async function roomsOfUsers(
  db: DatabasePool,
  userIds: readonly UserId[],
): Promise<Map<UserId, Rooms>> {
  const rows = await db.any(sql.type(RoomsRow)`
    select mine.user_id as "userId", bool_or(mine.threads > ${MOST_THREADS}) as "hasMore",
      coalesce(json_agg(json_build_object('groupId', g.group_id, 'kind', g.kind)) filter (
        where not mine.is_thread or mine.threads <= ${MOST_THREADS}
      ), '[]') as rooms
    from (
      select m.*, count(*) filter (where m.is_thread) over (partition by m.user_id) as threads
      from chat_groups.members m where m.user_id = any (${sql.array(userIds, 'uuid')}) and m.is_active
    ) mine
    join chat_groups.groups g on g.group_id = mine.group_id
    group by mine.user_id`);
  const found = new Map<UserId, Rooms>();
  for (const { userId, rooms, hasMore } of rows) {
    const latest = hasMore ? await latestThreads(db, userId) : [];
    found.set(userId, { rooms: [...rooms, ...latest], hasMore });
  }
  return found;
}

async function latestThreads(db: DatabasePool, userId: UserId): Promise<Room[]> {
  const latest = {
    window: sql.fragment`activity < ${Number.MAX_SAFE_INTEGER}`,
    end: sql.fragment`true`,
    order: sql.fragment`desc`,
    limit: MOST_THREADS,
  };
  const rows = await db.any(sql.type(ThreadRow)`
    select group_id as "groupId" from (${threadsByActivity(userId, latest)}) t`);
  return rows.map(({ groupId }) => ({ groupId, kind: 'thread' }));
}

const HeadRow = z.object({ groupId: z.string().brand<'GroupId'>(), headSeq: z.number() });

/** Resolves with the heads of a user's threads that have moved after a position. */
export async function headsOfThreads(
  db: DatabasePool,
  { userId, after }: { userId: UserId; after: Position },
): Promise<readonly z.infer<typeof HeadRow>[]> {
  const moved = (mine: FragmentSqlToken) => sql.fragment`
    select t.group_id as "groupId", c.head_seq as "headSeq"
    from conversations.threads t join conversations.conversations c on c.group_id = t.group_id
    where ${mine} and t.moved > ${after} and c.head_seq > 0 and ${isInThread(userId)}`;
  return db.any(sql.type(HeadRow)`
    ${moved(sql.fragment`t.owner_id = ${companyIdOf(userId)}`)} union all ${moved(sql.fragment`t.applicant_id = ${userId}`)}`);
}
