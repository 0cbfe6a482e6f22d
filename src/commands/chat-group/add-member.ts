import { z } from 'zod';
import { GroupRole } from '../../events/chat-group.ts';
import type { ChatGroupEvent } from '../../events/domain-event.ts';
import { GroupId, UserId } from '../../events/ids.ts';
import { chatGroupStream } from '../../events/streams.ts';
import { type Account, accountOf } from '../account/account.ts';
import { defineCommand } from '../command.ts';
import { require } from '../rejection.ts';
import { type ChatGroup, chatGroupOf, requireAdmin, requireMember } from './chat-group.ts';

const input = z.strictObject({ groupId: GroupId, userId: UserId, role: GroupRole.optional() });

/** Adding a member again with another role changes the role. */
export const addMember = defineCommand<
  z.infer<typeof input>,
  { group: ChatGroup; account: Account },
  ChatGroupEvent
>({
  name: 'AddMember',
  input,
  writes: ({ groupId }) => chatGroupStream(groupId),
  reads: ({ groupId, userId }) => ({ group: chatGroupOf(groupId), account: accountOf(userId) }),
  decide: ({ groupId, userId, role }, { group, account }, { actor }) => {
    requireMember(group, actor);
    requireAdmin(group, actor);
    require(account.status === 'registered', 'USER_NOT_FOUND');
    const current = group.members.get(userId);
    const wanted = role ?? current ?? 'member';
    if (current === wanted) return [];
    require(group.status === 'open', 'GROUP_CLOSED');
    const isLastAdminStepping = current === 'admin' && group.members.count((each) => each === 'admin') === 1;
    require(!isLastAdminStepping, 'LAST_ADMIN');
    return [{ type: 'MemberJoined', data: { groupId, userId, role: wanted } }];
  },
});
