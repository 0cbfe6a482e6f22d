import { type DatabasePool, sql } from 'slonik';
import { z } from 'zod';
import type { Actor } from '../commands/command.ts';
import { ensure } from '../commands/rejection.ts';
import { ApplicationStatus } from '../events/application.ts';
import type { JobId, UserId } from '../events/ids.ts';
import type { Page, Paging } from './cursor.ts';
import { groupsOf, latestFirst, withLastMessages } from './groups.ts';
import { getJob } from './jobs.ts';
import type { Message } from './message.ts';

const ThreadRow = z.object({
  groupId: z.string(),
  applicationId: z.string(),
  applicantId: z.string().brand<'UserId'>(),
  displayName: z.string(),
  status: ApplicationStatus,
  submittedAt: z.string(),
  unreadCount: z.number(),
  lastMessageId: z.string().nullable(),
  hiddenSeq: z.number(),
  activity: z.number(),
});

const Side = z.enum(['company', 'applicant']);
const WaitingRow = z.object({ groupId: z.string(), waitingOn: Side, waitingSince: z.string().nullable() });

/** A conversation of one applicant with the company. */
export interface Thread {
  groupId: string;
  applicationId: string;
  applicant: { userId: UserId; displayName: string };
  status: ApplicationStatus;
  assigneeId: UserId | null;
  lastMessage: Message | null;
  unreadCount: number;
  /** The side that is to answer, and since when. */
  waitingOn: z.infer<typeof Side>;
  waitingSince: string;
}

export interface ListThreads extends Paging {
  actor: Actor;
  jobId: JobId;
  status?: ApplicationStatus | undefined;
  unread?: boolean | undefined;
  assigneeId?: UserId | undefined;
}

/** The threads of a job that a user is a member of. */
const threadsOf = ({ actor, jobId, status, unread, assigneeId }: ListThreads) => sql.fragment`
  select mine."groupId", mine."applicationId", a.applicant_id as "applicantId",
    coalesce(p.display_name, '') as "displayName", a.status, a.submitted_at as "submittedAt", mine."unreadCount",
    mine."lastMessageId", mine."hiddenSeq", mine.activity
  from (${groupsOf(actor.userId)} and g.job_id = ${jobId} and g.kind = 'thread') mine
  join applications.applications a on a.application_id = mine."applicationId"
  left join accounts.accounts p on p.user_id = a.applicant_id
  where ${status === undefined ? sql.fragment`true` : sql.fragment`a.status = ${status}`}
    and ${unread === undefined ? sql.fragment`true` : sql.fragment`(mine."unreadCount" > 0) = ${unread}`}
    and ${assigneeId === undefined ? sql.fragment`true` : sql.fragment`false`}`;

/**
 * Resolves with who is to answer in each thread: the side that has not written last. It has been asked since the first
 * message of the other side that it has not answered; null where nobody has written.
 */
async function waiting(db: DatabasePool, rows: readonly z.infer<typeof ThreadRow>[]) {
  const groupIds = rows.map(({ groupId }) => groupId);
  const applicantIds = rows.map(({ applicantId }) => applicantId);
  const found = await db.any(sql.type(WaitingRow)`
    select t.group_id as "groupId", case when is_theirs then 'company' else 'applicant' end as "waitingOn", (
      select m.sent_at from conversations.messages m
      where m.group_id = t.group_id and m.deleted_at is null and m.seq > answer.seq
      order by m.seq limit 1
    ) as "waitingSince"
    from unnest(${sql.array(groupIds, 'uuid')}, ${sql.array(applicantIds, 'uuid')}) t (group_id, applicant_id)
    left join lateral (
      select m.sender_id = t.applicant_id as wrote from conversations.messages m
      where m.group_id = t.group_id and m.deleted_at is null order by m.seq desc limit 1
    ) last on true
    cross join lateral (select coalesce(last.wrote, true) as is_theirs) side
    cross join lateral (
      select coalesce(max(m.seq), 0) as seq from conversations.messages m
      where m.group_id = t.group_id and m.deleted_at is null and (m.sender_id = t.applicant_id) <> is_theirs
    ) answer`);
  return new Map(found.map(({ groupId, ...each }) => [groupId, each]));
}

/**
 * Resolves with the private conversations about a job, the latest activity first, for the company that posted it. Throws
 * JOB_NOT_FOUND, and NOT_JOB_OWNER for others.
 */
export async function listThreads(db: DatabasePool, asked: ListThreads): Promise<Page<Thread>> {
  const job = await getJob(db, asked);
  ensure(job.companyId === asked.actor.userId, 'NOT_JOB_OWNER');
  const page = await latestFirst(db, ThreadRow, threadsOf(asked), asked);
  const [rows, waits] = [await withLastMessages(db, page.data), await waiting(db, page.data)];
  const data = rows.map(
    ({ groupId, applicationId, applicantId, displayName, submittedAt, ...row }): Thread => {
      const { waitingOn, waitingSince } = waits.get(groupId)!;
      const { status, lastMessage, unreadCount } = row;
      return {
        ...{
          groupId,
          applicationId,
          applicant: { userId: applicantId, displayName },
          status,
          assigneeId: null,
        },
        ...{ lastMessage, unreadCount, waitingOn, waitingSince: waitingSince ?? submittedAt },
      };
    },
  );
  return { ...page, data };
}
