import { z } from 'zod';
import { GroupRole } from '../../events/chat-group.ts';
import type { ChatGroupEvent } from '../../events/domain-event.ts';
import { GroupId, UserId } from '../../events/ids.ts';
import { chatGroupStream } from '../../events/streams.ts';
import { type Account, accountOf } from '../account/account.ts';
import { defineCommand } from '../command.ts';
import { ensure } from '../rejection.ts';
import { type Application, applicationOf } from '../application/application.ts';
import { companyOf, mayIn } from '../company/company.ts';
import { chatGroupOf, hasOtherAdmin, isSelf, manages } from './chat-group.ts';
import { type Room, requireInRoom } from './room.ts';

const input = z.strictObject({ groupId: GroupId, userId: UserId, role: GroupRole.nullish() });

type Known = Room & { account: Account; application?: Application };

/**
 * Returns true if a user may come into the room, or is in it: the company's people, and who has applied for the job. A
 * job's group may have other members from before this rule.
 */
function belongs({ group, company, application }: Known, userId: UserId): boolean {
  if (group.status === 'none' || company?.members.has(userId)) return true;
  if (group.kind !== 'job') return userId === group.applicantId;
  if (group.members.has(userId) && !company?.former.has(userId)) return true;
  return application !== undefined && application.status !== 'none' && application.status !== 'withdrawn';
}

/**
 * Adds a member: one of the company's people, or in a job's group somebody who has applied for it. Adding a member again
 * with another role changes the role. The company's first owner is always an admin, and whoever may change the job may
 * come in by itself. An addition by the system is always recorded, also for a present member:
 * otherwise an automation that runs again could bring back a member who was removed since. The system may also
 * add to a closed group, because the application was made in time.
 */
export const addMember = defineCommand<z.infer<typeof input>, Known, ChatGroupEvent>({
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
  readsThen: ({ group }, { userId }, actor) => {
    if (group.status === 'none' || group.companyId === null) return {};
    // Automations add applicants, each because of its application.
    if (group.kind === 'job' && actor === 'system') return {};
    const company = companyOf(group.companyId);
    return { company, ...(group.jobId !== null && { application: applicationOf(group.jobId, userId) }) };
  },
  decide: ({ groupId, userId, role }, known, { actor }) => {
    const { group, company, account } = known;
    ensure(group.status !== 'none', 'GROUP_NOT_FOUND');
    const { jobId } = group;
    const isOwner = userId === group.companyId;
    const comesBack =
      isSelf(actor, userId) && company !== undefined && mayIn(company, 'changeJobs', actor, { jobId });
    if (!comesBack) requireInRoom(known, actor, 'manage');
    ensure(account.status === 'registered', 'USER_NOT_FOUND');
    const mayCome = group.companyId === null || (group.kind === 'job' && actor === 'system');
    ensure(mayCome || belongs(known, userId), 'USER_NOT_FOUND');
    const current = group.members.get(userId);
    const wanted = role ?? (isOwner || comesBack ? 'admin' : (current ?? 'member'));
    if (current === wanted && actor !== 'system') return [];
    ensure(group.status === 'open' || isOwner || actor === 'system', 'GROUP_CLOSED');
    if (!manages(wanted)) {
      ensure(!manages(current) || hasOtherAdmin(group, userId), 'LAST_ADMIN');
      ensure(!isOwner, 'JOB_OWNER_STAYS');
    }
    return [{ type: 'MemberJoined', data: { groupId, userId, role: wanted } }];
  },
});
