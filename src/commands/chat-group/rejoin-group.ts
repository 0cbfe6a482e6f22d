import { z } from 'zod';
import type { ChatGroupEvent } from '../../events/domain-event.ts';
import { GroupId, JobId, UserId } from '../../events/ids.ts';
import { chatGroupStream } from '../../events/streams.ts';
import { type Application, applicationOf } from '../application/application.ts';
import { defineCommand } from '../command.ts';
import { ensure } from '../rejection.ts';
import { type ChatGroup, chatGroupOf, isSelf } from './chat-group.ts';

const input = z.strictObject({ groupId: GroupId, jobId: JobId, applicantId: UserId });

/**
 * Lets an applicant who left by itself come back while its application is active. An applicant whom an admin
 * removed stays out.
 */
export const rejoinGroup = defineCommand<
  z.infer<typeof input>,
  { group: ChatGroup; application: Application },
  ChatGroupEvent
>({
  name: 'RejoinGroup',
  input,
  refuses: [
    'APPLICATION_NOT_FOUND',
    'NOT_APPLICANT',
    'GROUP_NOT_FOUND',
    'APPLICATION_WITHDRAWN',
    'APPLICATION_DECIDED',
    'REMOVED_FROM_GROUP',
  ],
  writes: ({ groupId }) => chatGroupStream(groupId),
  reads: ({ groupId, jobId, applicantId }) => ({
    group: chatGroupOf(groupId),
    application: applicationOf(jobId, applicantId),
  }),
  decide: ({ groupId, applicantId }, { group, application }, { actor }) => {
    ensure(application.status !== 'none' && application.subject.groupId === groupId, 'APPLICATION_NOT_FOUND');
    ensure(isSelf(actor, applicantId), 'NOT_APPLICANT');
    ensure(group.status !== 'none', 'GROUP_NOT_FOUND');
    if (group.members.has(applicantId)) return [];
    ensure(application.status !== 'withdrawn', 'APPLICATION_WITHDRAWN');
    ensure(application.status !== 'rejected', 'APPLICATION_DECIDED');
    ensure(!group.removed.has(applicantId), 'REMOVED_FROM_GROUP');
    return [{ type: 'MemberJoined', data: { groupId, userId: applicantId, role: 'member' } }];
  },
});
