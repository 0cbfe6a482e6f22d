import type { Position, Revision } from '../../events/event-store.ts';
import type { GroupId, UserId } from '../../events/ids.ts';
import type { Load } from '../aggregate-cache.ts';
import type { Actor, ActorOrSystem, AggregateRef } from '../command.ts';
import { type Company, companyOf, hasRight } from '../company/company.ts';
import { type RoomRight, roomRights } from '../company/rights.ts';
import { type RejectionCode, ensure } from '../rejection.ts';
import { type ChatGroup, type ExistingGroup, chatGroupOf, hasOtherAdmin, manages } from './chat-group.ts';

/** A group, and the company that posted its job, as far as the decision relies on it. */
export interface Room {
  group: ChatGroup;
  company?: Company | undefined;
}

/**
 * Returns true if a user may do this in the room. A job's group is for its members. Of the company's people, those are
 * in the team's room and in threads whom their role lets in, or who were added; whoever was removed from the company is
 * in none of its rooms.
 */
export function mayInRoom({ group, company }: Room, userId: UserId, right: RoomRight): boolean {
  if (group.status === 'none') return false;
  const { kind, members, applicantId, companyId, jobId, assigneeId } = group;
  const role = members.get(userId);
  if (kind !== 'job' && userId !== applicantId) {
    const matter = { jobId, assigneeId, isAdded: role !== undefined && userId !== companyId };
    return hasRight(company, roomRights[kind][right], userId, matter);
  }
  if (role === undefined || company?.former.has(userId)) return false;
  if (right === 'manage' && !manages(role)) return false;
  const isStaff = company?.members.has(userId) === true;
  return right === 'read' || !isStaff || hasRight(company, 'writeGroups', userId);
}

const refusals: Record<RoomRight, RejectionCode> = {
  read: 'GROUP_NOT_FOUND',
  write: 'ROLE_NOT_ALLOWED',
  files: 'ROLE_NOT_ALLOWED',
  manage: 'NOT_GROUP_ADMIN',
};

/**
 * Throws GROUP_NOT_FOUND for actors who may not read the room, and must not learn that it exists; ROLE_NOT_ALLOWED or
 * NOT_GROUP_ADMIN for those who may read it, but not do this. The system may do everything.
 */
export function requireInRoom<R extends Room>(
  room: R,
  actor: ActorOrSystem,
  right: RoomRight,
): asserts room is R & { group: ExistingGroup } {
  ensure(room.group.status !== 'none', 'GROUP_NOT_FOUND');
  if (actor === 'system') return;
  if (!room.company && companyOfRoom(room, undefined, actor).company)
    throw new Error('a decision about the people of a company must read it, see companyOfRoom');
  ensure(mayInRoom(room, actor.userId, 'read'), 'GROUP_NOT_FOUND');
  ensure(mayInRoom(room, actor.userId, right), refusals[right]);
}

/** Names the company of a group, where the actor may be one of its people. Changes of its other people do not matter. */
export const companyOfRoom = (
  { group }: Room,
  _input: unknown,
  actor: ActorOrSystem,
): { company?: AggregateRef<Company> } =>
  group.status !== 'none' && group.companyId !== null && actor !== 'system' && actor.role === 'company'
    ? { company: { ...companyOf(group.companyId), about: actor.userId } }
    : {};

/**
 * Returns the owner of the company who becomes admin when the last admin leaves, so that the group has an admin while it
 * has members or may get some: the first owner, while it is one, or another. Returns undefined when an admin remains, or
 * when no member remains in a closed group. Throws `LAST_ADMIN` when there is nobody to take over.
 */
export function successorOf(
  { group, company }: Room & { group: ExistingGroup },
  leaving: UserId,
): UserId | undefined {
  if (hasOtherAdmin(group, leaving)) return undefined;
  if (group.status === 'closed' && group.members.delete(leaving).isEmpty()) return undefined;
  const owners = [...(company?.members ?? [])].filter(([, { role }]) => role === 'owner').map(([id]) => id);
  const others = owners.filter((id) => id !== leaving).toSorted();
  const successor = others.find((id) => id === group.companyId) ?? others[0];
  ensure(successor !== undefined, 'LAST_ADMIN');
  return successor;
}

/**
 * Resolves with a room, the revision of its group, and the position up to which it is known, as far as it matters for
 * one actor; without one, for everybody.
 */
export async function loadRoom(
  load: Load,
  groupId: GroupId,
  actor?: Actor,
): Promise<Room & { revision: Revision; position: Position }> {
  const { state: group, revision, position } = await load(chatGroupOf(groupId));
  const companyId = group.status === 'none' || (actor && actor.role !== 'company') ? null : group.companyId;
  if (companyId === null) return { group, revision, position };
  const company = await load(companyOf(companyId));
  return { group, revision, company: company.state, position: Math.max(position, company.position) };
}
