import { z } from 'zod';
import { GroupKind, GroupName } from '../../events/chat-group.ts';
import type { ChatGroupEvent } from '../../events/domain-event.ts';
import { GroupId, JobId, UserId } from '../../events/ids.ts';
import { HistoryFrom } from '../../events/job.ts';
import { chatGroupStream } from '../../events/streams.ts';
import { defineCommand } from '../command.ts';
import { ensure } from '../rejection.ts';
import { type ChatGroup, chatGroupOf } from './chat-group.ts';

const input = z.strictObject({
  groupId: GroupId,
  jobId: JobId.nullable(),
  name: GroupName,
  adminId: UserId,
  companyId: UserId.optional(),
  kind: GroupKind.exclude(['thread']).optional(),
  historyFrom: HistoryFrom.optional(),
});

/** Creates a group. The admin is a member from the start. */
export const createChatGroup = defineCommand<z.infer<typeof input>, { group: ChatGroup }, ChatGroupEvent>({
  name: 'CreateChatGroup',
  input,
  refuses: ['ROLE_NOT_ALLOWED'],
  opens: true,
  writes: ({ groupId }) => chatGroupStream(groupId),
  reads: ({ groupId }) => ({ group: chatGroupOf(groupId) }),
  decide: (group, known, { actor }) => {
    ensure(actor === 'system' || actor.userId === group.adminId, 'ROLE_NOT_ALLOWED');
    return known.group.status === 'none' ? [{ type: 'ChatGroupCreated', data: group }] : [];
  },
});
