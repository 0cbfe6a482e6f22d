import { z } from 'zod';
import type { ChatGroupEvent } from '../../events/domain-event.ts';
import { GroupId } from '../../events/ids.ts';
import { chatGroupStream } from '../../events/streams.ts';
import { defineCommand } from '../command.ts';
import { chatGroupOf } from './chat-group.ts';
import { type Room, companyOfRoom, requireInRoom } from './room.ts';

const input = z.strictObject({ groupId: GroupId });

export const closeGroup = defineCommand<z.infer<typeof input>, Room, ChatGroupEvent>({
  name: 'CloseGroup',
  input,
  refuses: ['GROUP_NOT_FOUND', 'NOT_GROUP_ADMIN'],
  writes: ({ groupId }) => chatGroupStream(groupId),
  reads: ({ groupId }) => ({ group: chatGroupOf(groupId) }),
  readsThen: companyOfRoom,
  decide: ({ groupId }, known, { actor }) => {
    requireInRoom(known, actor, 'manage');
    return known.group.status === 'closed' ? [] : [{ type: 'GroupClosed', data: { groupId } }];
  },
});
