import { z } from 'zod';
import type { ChatGroupEvent } from '../../events/domain-event.ts';
import { GroupId } from '../../events/ids.ts';
import { chatGroupStream } from '../../events/streams.ts';
import { defineCommand } from '../command.ts';
import { type ChatGroup, chatGroupOf, requireAdmin, requireMember } from './chat-group.ts';

const input = z.strictObject({ groupId: GroupId });

export const closeGroup = defineCommand<z.infer<typeof input>, { group: ChatGroup }, ChatGroupEvent>({
  name: 'CloseGroup',
  input,
  refuses: ['GROUP_NOT_FOUND', 'NOT_GROUP_ADMIN'],
  writes: ({ groupId }) => chatGroupStream(groupId),
  reads: ({ groupId }) => ({ group: chatGroupOf(groupId) }),
  decide: ({ groupId }, { group }, { actor }) => {
    requireMember(group, actor);
    requireAdmin(group, actor);
    return group.status === 'closed' ? [] : [{ type: 'GroupClosed', data: { groupId } }];
  },
});
