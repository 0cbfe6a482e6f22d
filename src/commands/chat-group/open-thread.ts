import { z } from 'zod';
import type { ChatGroupEvent } from '../../events/domain-event.ts';
import { ApplicationId, GroupId, JobId, UserId } from '../../events/ids.ts';
import { chatGroupStream } from '../../events/streams.ts';
import { defineCommand } from '../command.ts';
import { type Job, jobOf } from '../job/job.ts';
import { ensure } from '../rejection.ts';
import { type ChatGroup, chatGroupOf } from './chat-group.ts';

const input = z.strictObject({
  groupId: GroupId,
  jobId: JobId,
  applicationId: ApplicationId,
  applicantId: UserId,
});

/**
 * Opens the thread of an application, or opens it again: its applicant and the company that posted the job are its
 * members. It stays closed where the job's rooms are.
 */
export const openThread = defineCommand<
  z.infer<typeof input>,
  { group: ChatGroup; job: Job },
  ChatGroupEvent
>({
  name: 'OpenThread',
  input,
  refuses: ['JOB_NOT_FOUND', 'ROLE_NOT_ALLOWED'],
  opens: true,
  writes: ({ groupId }) => chatGroupStream(groupId),
  reads: ({ groupId, jobId }) => ({ group: chatGroupOf(groupId), job: jobOf(jobId) }),
  decide: ({ groupId, applicantId, ...about }, { group, job }, { actor, now }) => {
    ensure(actor === 'system', 'ROLE_NOT_ALLOWED');
    ensure(job.status !== 'none', 'JOB_NOT_FOUND');
    const comes: ChatGroupEvent = {
      type: 'MemberJoined',
      data: { groupId, userId: applicantId, role: 'member' },
    };
    if (group.status === 'none') {
      const { companyId: adminId, details } = job;
      const thread = {
        groupId,
        ...about,
        name: details.title,
        adminId,
        kind: 'thread' as const,
        applicantId,
      };
      return [{ type: 'ChatGroupCreated', data: thread }, comes];
    }
    const isOver = job.roomsCloseAt !== null && Date.parse(job.roomsCloseAt) <= now.getTime();
    const isAbsent = !group.members.has(applicantId);
    return [
      ...(group.status === 'closed' && !isOver
        ? [{ type: 'GroupReopened' as const, data: { groupId } }]
        : []),
      ...(isAbsent ? [comes] : []),
    ];
  },
});
