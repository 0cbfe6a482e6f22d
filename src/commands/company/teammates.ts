import { z } from 'zod';
import { CompanyRole } from '../../events/company.ts';
import type { CompanyEvent } from '../../events/domain-event.ts';
import { UserId } from '../../events/ids.ts';
import { companyStream } from '../../events/streams.ts';
import { actorId, defineCommand } from '../command.ts';
import { ensure } from '../rejection.ts';
import { type Company, companyOf, hasOtherOwner, recordedPlace, requireOwner } from './company.ts';
import { place } from './invitations.ts';

const change = z.strictObject({
  companyId: UserId,
  userId: UserId,
  role: CompanyRole.optional(),
  jobIds: place.jobIds,
});

/** Changes the role of a teammate, or its jobs. A company keeps an owner. */
export const changeTeammate = defineCommand<z.infer<typeof change>, { company: Company }, CompanyEvent>({
  name: 'ChangeTeammate',
  input: change,
  refuses: ['COMPANY_NOT_FOUND', 'NOT_COMPANY_OWNER', 'MEMBER_NOT_FOUND', 'LAST_OWNER'],
  writes: ({ companyId }) => companyStream(companyId),
  reads: ({ companyId }) => ({ company: companyOf(companyId) }),
  decide: ({ companyId, userId, ...asked }, { company }, { actor }) => {
    requireOwner(company, actor);
    const teammate = company.members.get(userId);
    ensure(teammate !== undefined, 'MEMBER_NOT_FOUND');
    const before = recordedPlace(teammate);
    const role = asked.role ?? before.role;
    const jobIds = asked.jobIds === undefined ? before.jobIds : asked.jobIds;
    ensure(role === 'owner' || before.role !== 'owner' || hasOtherOwner(company, userId), 'LAST_OWNER');
    const isSame = role === before.role && jobIds?.toSorted().join() === before.jobIds?.toSorted().join();
    return isSame ? [] : [{ type: 'TeammateChanged', data: { companyId, userId, role, jobIds } }];
  },
});

const removal = z.strictObject({ companyId: UserId, userId: UserId });

/**
 * Removes a teammate, by an owner, by itself, or by the system when it is erased. This one event ends all of its access. A
 * company keeps an owner.
 */
export const removeTeammate = defineCommand<z.infer<typeof removal>, { company: Company }, CompanyEvent>({
  name: 'RemoveTeammate',
  input: removal,
  refuses: ['COMPANY_NOT_FOUND', 'NOT_COMPANY_OWNER', 'MEMBER_NOT_FOUND', 'LAST_OWNER'],
  writes: ({ companyId }) => companyStream(companyId),
  reads: ({ companyId }) => ({ company: companyOf(companyId) }),
  decide: ({ companyId, userId }, { company }, { actor }) => {
    const teammate = company.members.get(userId);
    if (actorId(actor) === userId) ensure(teammate !== undefined, 'COMPANY_NOT_FOUND');
    else if (actor !== 'system') requireOwner(company, actor);
    ensure(teammate !== undefined, 'MEMBER_NOT_FOUND');
    ensure(teammate.role !== 'owner' || hasOtherOwner(company, userId), 'LAST_OWNER');
    return [{ type: 'TeammateRemoved', data: { companyId, userId } }];
  },
});
