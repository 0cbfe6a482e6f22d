import { z } from 'zod';
import { ApplicationId, GroupId, JobId, UserId } from './ids.ts';
import { HistoryFrom } from './job.ts';
import { text } from './text.ts';

export const GroupRole = z.enum(['admin', 'member']);
export type GroupRole = z.infer<typeof GroupRole>;

export const GroupStatus = z.enum(['open', 'closed']);
export type GroupStatus = z.infer<typeof GroupStatus>;

/**
 * `job`: a job's group with its applicants. `team`: the room of the company's people. `thread`: one applicant and the
 * company.
 */
export const GroupKind = z.enum(['job', 'team', 'thread']);
export type GroupKind = z.infer<typeof GroupKind>;

export const GroupName = text(1, 200);

/** Bounded by the group's members: messages live in the conversation's own stream. */
export const chatGroupEvents = {
  ChatGroupCreated: z.strictObject({
    groupId: GroupId,
    jobId: JobId.nullable(),
    name: GroupName,
    adminId: UserId,
    /** That posted the job. Absent: it has the id of the admin, who is its first owner. */
    companyId: UserId.optional(),
    /** Absent: `job`. */
    kind: GroupKind.optional(),
    /** Absent: `start`. */
    historyFrom: HistoryFrom.optional(),
    /** Of a thread. */
    applicationId: ApplicationId.optional(),
    applicantId: UserId.optional(),
  }),
  /** The job's conversations have changed before anybody applied. */
  GroupKindChanged: z.strictObject({
    groupId: GroupId,
    kind: GroupKind.exclude(['thread']),
    historyFrom: HistoryFrom,
  }),
  MemberJoined: z.strictObject({ groupId: GroupId, userId: UserId, role: GroupRole }),
  /** The member went by itself. */
  MemberLeft: z.strictObject({ groupId: GroupId, userId: UserId }),
  /** An admin, or a rejected application, removed the member. */
  MemberRemoved: z.strictObject({ groupId: GroupId, userId: UserId }),
  /** Whom of the company's people the thread's application is assigned to; null for nobody. */
  ThreadAssigned: z.strictObject({ groupId: GroupId, assigneeId: UserId.nullable() }),
  GroupClosed: z.strictObject({ groupId: GroupId }),
  /** The application of a thread is active again. */
  GroupReopened: z.strictObject({ groupId: GroupId }),
};
