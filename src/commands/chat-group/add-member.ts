import { z } from 'zod';
import { GroupRole } from '../../events/chat-group.ts';
import type { ChatGroupEvent } from '../../events/domain-event.ts';
import { GroupId, UserId } from '../../events/ids.ts';
import { chatGroupStream } from '../../events/streams.ts';
import { type Account, accountOf } from '../account/account.ts';
import { defineCommand } from '../command.ts';
import { ensure } from '../rejection.ts';
import {
  type ChatGroup,
  chatGroupOf,
  hasOtherAdmin,
  isSelf,
  manages,
  requireAdmin,
  requireMember,
} from './chat-group.ts';

const input = z.strictObject({ groupId: GroupId, userId: UserId, role: GroupRole.nullish() });

/**
 * Adds a member. Adding a member again with another role changes the role. The owner of the job is always an
 * admin, and may add itself again. An addition by the system is always recorded, also for a present member:
 * otherwise an automation that runs again could bring back a member who was removed since. The system may also
 * add to a closed group, because the application was made in time.
 */
export const addMember = defineCommand<
  z.infer<typeof input>,
  { group: ChatGroup; account: Account },
  ChatGroupEvent
>({
  name: 'AddMember',
  input,
  refuses: [
    'GROUP_NOT_FOUND',
    'NOT_GROUP_ADMIN',
    'USER_NOT_FOUND',
    'GROUP_CLOSED',
    'LAST_ADMIN',
    'JOB_OWNER_STAYS',
  ],
  writes: ({ groupId }) => chatGroupStream(groupId),
  reads: ({ groupId, userId }) => ({ group: chatGroupOf(groupId), account: accountOf(userId) }),
  decide: ({ groupId, userId, role }, { group, account }, { actor }) => {
    ensure(group.status !== 'none', 'GROUP_NOT_FOUND');
    const isOwner = userId === group.ownerId;
    if (!isOwner || !isSelf(actor, userId)) {
      requireMember(group, actor);
      requireAdmin(group, actor);
    }
    ensure(account.status === 'registered', 'USER_NOT_FOUND');
    // Nobody but the company enters a room that it holds in private, and an applicant its own thread.
    ensure(group.kind === 'job' || isOwner || userId === group.applicantId, 'USER_NOT_FOUND');
    const current = group.members.get(userId);
    const wanted = role ?? (isOwner ? 'admin' : (current ?? 'member'));
    if (current === wanted && actor !== 'system') return [];
    ensure(group.status === 'open' || isOwner || actor === 'system', 'GROUP_CLOSED');
    if (!manages(wanted)) {
      ensure(!manages(current) || hasOtherAdmin(group, userId), 'LAST_ADMIN');
      ensure(!isOwner, 'JOB_OWNER_STAYS');
    }
    return [{ type: 'MemberJoined', data: { groupId, userId, role: wanted } }];
  },
});
