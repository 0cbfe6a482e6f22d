import { Map as ImmutableMap, Set as ImmutableSet } from 'immutable';
import type { CompanyEvent } from '../../events/domain-event.ts';
import type { InvitationId, JobId, UserId } from '../../events/ids.ts';
import { companyStream } from '../../events/streams.ts';
import { type ActorOrSystem, type Aggregate, type AggregateRef, actorId } from '../command.ts';
import { ensure } from '../rejection.ts';
import { type CompanyRight, type Matter, type Teammate, may } from './rights.ts';

interface Invitation extends Teammate {
  expiresAt: string;
}

/** Every account of a company is one, with itself as its owner, before anything has happened. */
export interface Company {
  /** Null until it is renamed: then it has the name of its first owner. */
  name: string | null;
  members: ImmutableMap<UserId, Teammate>;
  /** Who was removed, or has left, with the invitations that were open then: none of them lets that person in again. */
  former: ImmutableMap<UserId, ImmutableSet<InvitationId>>;
  /** Those that were neither accepted nor revoked. */
  invitations: ImmutableMap<InvitationId, Invitation>;
}

const placeOf = ({
  role,
  jobIds,
}: {
  role: Teammate['role'];
  jobIds: readonly JobId[] | null;
}): Teammate => ({
  role,
  jobIds: jobIds && ImmutableSet(jobIds),
});

function evolve(state: Company, event: CompanyEvent): Company {
  const { members, former, invitations } = state;
  switch (event.type) {
    case 'CompanyRenamed':
      return { ...state, name: event.data.name };
    case 'TeammateInvited': {
      const { invitationId, expiresAt } = event.data;
      return { ...state, invitations: invitations.set(invitationId, { ...placeOf(event.data), expiresAt }) };
    }
    case 'InvitationRevoked':
      return { ...state, invitations: invitations.delete(event.data.invitationId) };
    case 'TeammateJoined': {
      const { userId, invitationId } = event.data;
      return {
        ...state,
        members: members.set(userId, placeOf(event.data)),
        former: former.delete(userId),
        invitations: invitations.delete(invitationId),
      };
    }
    case 'TeammateChanged':
      return { ...state, members: members.set(event.data.userId, placeOf(event.data)) };
    case 'TeammateRemoved': {
      const { userId } = event.data;
      return {
        ...state,
        members: members.delete(userId),
        former: former.set(userId, invitations.keySeq().toSet()),
      };
    }
  }
}

const companyFoundedBy = (ownerId: UserId): Aggregate<Company, CompanyEvent> => ({
  // Made when asked for: each message names its company, whose state is nearly always at hand.
  get initial() {
    return {
      name: null,
      members: ImmutableMap([[ownerId, { role: 'owner' as const, jobIds: null }]]),
      former: ImmutableMap<UserId, ImmutableSet<InvitationId>>(),
      invitations: ImmutableMap<InvitationId, Invitation>(),
    };
  },
  evolve,
});

/** A company has the id of its first owner. */
export const companyOf = (companyId: UserId): AggregateRef<Company> => ({
  stream: companyStream(companyId),
  aggregate: companyFoundedBy(companyId),
});

/** Returns true if a user is one of the company's people, and may do this. */
export function hasRight(
  company: Company | undefined,
  right: CompanyRight,
  userId: UserId,
  matter?: Matter,
): boolean {
  const teammate = company?.members.get(userId);
  return teammate !== undefined && may(right, userId, teammate, matter);
}

/** Returns true if an actor is one of the company's people, and may do this. */
export function mayIn(
  company: Company | undefined,
  right: CompanyRight,
  actor: ActorOrSystem,
  matter?: Matter,
): boolean {
  const userId = actorId(actor);
  return userId !== null && hasRight(company, right, userId, matter);
}

/** Throws COMPANY_NOT_FOUND for people who are not in the company, and NOT_COMPANY_OWNER for those who are, but no owners. */
export function requireOwner({ members }: Company, actor: ActorOrSystem): void {
  const userId = actorId(actor);
  const teammate = userId === null ? undefined : members.get(userId);
  ensure(teammate !== undefined, 'COMPANY_NOT_FOUND');
  ensure(may('manageTeam', userId!, teammate), 'NOT_COMPANY_OWNER');
}

/** Returns the invitations that can be accepted. */
export const openInvitations = ({ invitations }: Company, now: Date): Company['invitations'] =>
  invitations.filter(({ expiresAt }) => now.getTime() < Date.parse(expiresAt));

/** Returns true if somebody else owns the company as well. */
export const hasOtherOwner = ({ members }: Company, userId: UserId): boolean =>
  members.some(({ role }, memberId) => memberId !== userId && role === 'owner');

/** Returns the part of an event that says the place of a person. */
export const recordedPlace = ({ role, jobIds }: Teammate) => ({ role, jobIds: jobIds && [...jobIds] });
