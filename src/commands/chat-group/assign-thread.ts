import { z } from 'zod';
import type { ChatGroupEvent } from '../../events/domain-event.ts';
import { GroupId, JobId, UserId } from '../../events/ids.ts';
import { chatGroupStream } from '../../events/streams.ts';
import { type Application, applicationOf } from '../application/application.ts';
import { defineCommand } from '../command.ts';
import { ensure } from '../rejection.ts';
import { type ChatGroup, chatGroupOf } from './chat-group.ts';

const input = z.strictObject({ groupId: GroupId, jobId: JobId, applicantId: UserId });

/** Follows the assignment of a private application in its thread, which only streams of the thread give access to. */
export const assignThread = defineCommand<
  z.infer<typeof input>,
  { group: ChatGroup; application: Application },
  ChatGroupEvent
>({
  name: 'AssignThread',
  input,
  refuses: ['GROUP_NOT_FOUND', 'ROLE_NOT_ALLOWED'],
  writes: ({ groupId }) => chatGroupStream(groupId),
  reads: ({ groupId, jobId, applicantId }) => ({
    group: chatGroupOf(groupId),
    application: applicationOf(jobId, applicantId),
  }),
  decide: ({ groupId }, { group, application }, { actor }) => {
    ensure(actor === 'system', 'ROLE_NOT_ALLOWED');
    ensure(group.status !== 'none', 'GROUP_NOT_FOUND');
    // An assignment that runs late finds the one that came after it.
    if (application.status === 'none' || application.assigneeId === group.assigneeId) return [];
    return [{ type: 'ThreadAssigned', data: { groupId, assigneeId: application.assigneeId } }];
  },
});
