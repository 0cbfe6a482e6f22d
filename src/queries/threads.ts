import { type DatabasePool, type FragmentSqlToken, sql } from 'slonik';
import { z } from 'zod';
import type { Actor } from '../commands/command.ts';
import { ApplicationStatus } from '../events/application.ts';
import type { JobId, UserId } from '../events/ids.ts';
import type { Page, Paging } from './cursor.ts';
import {
  type Candidates,
  byNumberOfThreads,
  groupsOf,
  hasFewThreads,
  isInThread,
  isOneOfFew,
  latestFirst,
  mostLookedAt,
} from './groups.ts';
import { Message } from './message.ts';

const Side = z.enum(['company', 'applicant']);
const ThreadRow = z.object({
  groupId: z.string(),
  applicationId: z.string(),
  applicant: z.object({ userId: z.string().brand<'UserId'>(), displayName: z.string() }),
  status: ApplicationStatus,
  assigneeId: z.string().brand<'UserId'>().nullable(),
  lastMessage: Message.nullable(),
  headSeq: z.number(),
  readSeq: z.number(),
  unreadCount: z.number(),
  /** The side that is to answer, and since when. */
  waitingOn: Side,
  waitingSince: z.string(),
  activity: z.number(),
});
/** A conversation of one applicant with the company. */
export type Thread = Omit<z.infer<typeof ThreadRow>, 'activity'>;

export interface ListThreads extends Paging {
  actor: Actor;
  jobId: JobId;
  status?: ApplicationStatus | undefined;
  unread?: boolean | undefined;
  assigneeId?: UserId | undefined;
}

/** Up to where a user has read the thread `t`, or was not there. */
const readSeq = (userId: UserId) => sql.fragment`greatest((
    select r.seq from public.read_markers r where r.group_id = t.group_id and r.user_id = ${userId}
  ), (
    select p.from_seq from conversations.participants p where p.group_id = t.group_id and p.user_id = ${userId}
  ), 0)`;

/** Most threads are read, which the row of the thread shows. */
const isUnread = (userId: UserId) => sql.fragment`coalesce(
    case when t.last_seq > ${readSeq(userId)} then (
      select true from conversations.messages m
      where m.group_id = t.group_id and m.seq > ${readSeq(userId)} and m.sender_id <> ${userId} and m.deleted_at is null
      limit 1
    ) end, false)`;

/**
 * The threads of a job that a user may read, in the order of their activity. Of very many, only so many are looked at to
 * find those that are unread, or not: no index knows.
 */
const byActivity =
  ({ actor: { userId }, jobId, status, unread, assigneeId }: ListThreads): Candidates =>
  ({ window, end, order, limit }) => {
    const ofJob = sql.fragment`conversations.threads t where t.job_id = ${jobId} and ${window}`;
    const looked =
      unread === undefined
        ? ofJob
        : sql.fragment`(select t.* from ${ofJob} order by t.activity ${order} limit ${mostLookedAt}) t where ${end}`;
    const within = (threads: FragmentSqlToken, isMine: FragmentSqlToken) => sql.fragment`
      select t.group_id, t.activity from ${threads} and ${isMine}
        and ${status === undefined ? sql.fragment`true` : sql.fragment`t.status = ${status}`}
        and ${unread === undefined ? sql.fragment`true` : sql.fragment`${isUnread(userId)} = ${unread}`}
        and ${assigneeId === undefined ? sql.fragment`true` : sql.fragment`t.assignee_id = ${assigneeId}`}
      order by t.activity ${order} limit ${limit}`;
    return byNumberOfThreads(
      userId,
      (few) => within(ofJob, sql.fragment`${few} and ${isOneOfFew(userId)}`),
      (many) => within(looked, sql.fragment`${many} and ${isInThread(userId)}`),
    );
  };

/** The activities of all threads of a job, for a user with more than a few. */
const ofJob =
  ({ actor: { userId }, jobId }: ListThreads): Candidates =>
  ({ window, order, limit }) => sql.fragment`
    select t.activity from conversations.threads t
    where not ${hasFewThreads(userId)} and t.job_id = ${jobId} and ${window}
    order by t.activity ${order} limit ${limit}`;

/**
 * Who is to answer in the thread `t`: the side that has not written last. It has been asked since the first message of the
 * other side that it has not answered; null where nobody has written.
 */
const waiting = sql.fragment`
  select case when is_theirs then 'company' else 'applicant' end as "on", (
    select m.sent_at from conversations.messages m
    where m.group_id = t.group_id and m.deleted_at is null and m.seq > answer.seq
    order by m.seq limit 1
  ) as since
  from (
    select coalesce((
      select m.sender_id = t.applicant_id from conversations.messages m
      where m.group_id = t.group_id and m.deleted_at is null order by m.seq desc limit 1
    ), true) as is_theirs
    -- Is looked up once for all that depends on it.
    offset 0
  ) side
  cross join lateral (
    select coalesce(max(m.seq), 0) as seq from conversations.messages m
    where m.group_id = t.group_id and m.deleted_at is null and (m.sender_id = t.applicant_id) <> is_theirs
  ) answer`;

/** What a list shows of the threads that it found. */
const rowsFor = (userId: UserId) => sql.fragment`
  select mine."groupId", mine."applicationId",
    json_build_object('userId', t.applicant_id, 'displayName', coalesce(p.display_name, '')) as applicant, t.status,
    t.assignee_id as "assigneeId", mine."headSeq", mine."readSeq", mine."lastMessage", mine."unreadCount",
    waiting."on" as "waitingOn",
    coalesce(waiting.since, a.submitted_at) as "waitingSince"
  from (${groupsOf(userId)} and mine.group_id = page.group_id) mine
  join conversations.threads t on t.group_id = mine."groupId"
  join applications.applications a on a.application_id = t.application_id
  left join accounts.accounts p on p.user_id = t.applicant_id
  cross join lateral (${waiting}) waiting`;

/** Resolves with the private conversations about a job that a user may read, the latest activity first. */
export async function listThreads(db: DatabasePool, asked: ListThreads): Promise<Page<Thread>> {
  const { userId } = asked.actor;
  const listing = {
    ...{ row: ThreadRow, candidates: byActivity(asked), rows: rowsFor(userId) },
    // Whether a thread is unread is no column that could be looked up.
    among: asked.unread === undefined ? undefined : ofJob(asked),
  };
  return latestFirst(db, listing, asked);
}
