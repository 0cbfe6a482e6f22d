import { z } from 'zod';
import type { ChatGroupEvent } from '../../events/domain-event.ts';
import { GroupId, UserId } from '../../events/ids.ts';
import { chatGroupStream } from '../../events/streams.ts';
import { defineCommand } from '../command.ts';
import { require } from '../rejection.ts';
import {
  type ChatGroup,
  chatGroupOf,
  isSelf,
  requireAdmin,
  requireAnotherAdmin,
  requireMember,
} from './chat-group.ts';

const input = z.strictObject({ groupId: GroupId, userId: UserId });

/** An admin takes somebody out, or the system does. Whoever removes itself, leaves. */
export const removeMember = defineCommand<z.infer<typeof input>, { group: ChatGroup }, ChatGroupEvent>({
  name: 'RemoveMember',
  input,
  writes: ({ groupId }) => chatGroupStream(groupId),
  reads: ({ groupId }) => ({ group: chatGroupOf(groupId) }),
  decide: ({ groupId, userId }, { group }, { actor }) => {
    requireMember(group, actor);
    if (!isSelf(actor, userId)) requireAdmin(group, actor);
    const isInside = group.members.has(userId);
    if (actor === 'system' && !isInside) return [];
    require(isInside, 'MEMBER_NOT_FOUND');
    requireAnotherAdmin(group, userId);
    return [{ type: isSelf(actor, userId) ? 'MemberLeft' : 'MemberRemoved', data: { groupId, userId } }];
  },
});
