import { z } from 'zod';
import type { ChatGroupEvent } from '../../events/domain-event.ts';
import { GroupId, UserId } from '../../events/ids.ts';
import { chatGroupStream } from '../../events/streams.ts';
import { defineCommand } from '../command.ts';
import { companyOf } from '../company/company.ts';
import { ensure } from '../rejection.ts';
import { chatGroupOf, hasOtherAdmin, isSelf } from './chat-group.ts';
import { type Room, companyOfRoom, requireInRoom, successorOf } from './room.ts';

const input = z.strictObject({ groupId: GroupId, userId: UserId });

/**
 * Removes a member, by an admin or the system. A member that removes itself leaves. The first owner of the company stays
 * while the group has other members. An owner becomes admin when the last admin goes. An applicant leaves its thread, but
 * is not put out of it.
 */
export const removeMember = defineCommand<z.infer<typeof input>, Room, ChatGroupEvent>({
  name: 'RemoveMember',
  input,
  refuses: [
    'GROUP_NOT_FOUND',
    'NOT_GROUP_ADMIN',
    'MEMBER_NOT_FOUND',
    'LAST_ADMIN',
    'JOB_OWNER_STAYS',
    'APPLICANT_STAYS',
  ],
  writes: ({ groupId }) => chatGroupStream(groupId),
  reads: ({ groupId }) => ({ group: chatGroupOf(groupId) }),
  readsThen: (known, input, actor) => {
    const { group } = known;
    const isLast = group.status !== 'none' && !hasOtherAdmin(group, input.userId);
    return isLast && group.companyId !== null
      ? { company: companyOf(group.companyId) }
      : companyOfRoom(known, input, actor);
  },
  decide: ({ groupId, userId }, known, { actor }) => {
    requireInRoom(known, actor, isSelf(actor, userId) ? 'read' : 'manage');
    const { group } = known;
    const isInside = group.members.has(userId);
    if (actor === 'system' && !isInside) return [];
    ensure(isInside, 'MEMBER_NOT_FOUND');
    ensure(userId !== group.applicantId || isSelf(actor, userId), 'APPLICANT_STAYS');
    const successor = successorOf(known, userId);
    ensure(userId !== group.companyId || group.members.size === 1, 'JOB_OWNER_STAYS');
    const going: ChatGroupEvent = {
      type: isSelf(actor, userId) ? 'MemberLeft' : 'MemberRemoved',
      data: { groupId, userId },
    };
    if (successor === undefined) return [going];
    return [{ type: 'MemberJoined', data: { groupId, userId: successor, role: 'admin' } }, going];
  },
});
