import { type ChatGroup, chatGroupOf } from '../commands/chat-group/chat-group.ts';
import { mayInRoom } from '../commands/chat-group/room.ts';
import { type Company, companyOf } from '../commands/company/company.ts';
import type { GroupRole } from '../events/chat-group.ts';
import type { ChatGroupEvent, CompanyEvent } from '../events/domain-event.ts';
import type { Recorded } from '../events/event-store.ts';
import type { GroupId, UserId } from '../events/ids.ts';
import { categoryOf } from '../events/streams.ts';

/** A user who may read a conversation, and since when without a break. */
export interface Reader {
  userId: string;
  role: GroupRole;
  since: string;
  /** The event that let the user in. */
  byEvent: string;
}

/** Who may read a group's conversation, and the states that say so. */
export interface Readership {
  group: ChatGroup;
  company: Company | undefined;
  readers: ReadonlyMap<UserId, Reader>;
}
export const nobody: Readership = { group: { status: 'none' }, company: undefined, readers: new Map() };

type GroupOrCompanyEvent = Recorded<ChatGroupEvent> | Recorded<CompanyEvent>;
const isOfCompany = (event: GroupOrCompanyEvent): event is Recorded<CompanyEvent> =>
  categoryOf(event.stream) === 'company';

/** Returns the users who may be readers after an event and were not before, or the other way round. */
function concerned(
  { group, company, readers }: Readership,
  { type, data }: GroupOrCompanyEvent,
): Iterable<UserId> {
  if (type === 'ChatGroupCreated' && (data.kind ?? 'job') === 'job') return [data.adminId];
  if ('userId' in data) return [data.userId];
  if (group.status === 'none') return [];
  if (group.kind === 'job' && type !== 'GroupKindChanged') return [];
  return new Set([...readers.keys(), ...group.members.keys(), ...(company?.members.keys() ?? [])]);
}

/**
 * Returns who may read the conversation after some more events of its group and of the company that posted its job, in
 * the order in which they came.
 */
export function readersAfter(
  before: Readership,
  groupId: GroupId,
  events: readonly GroupOrCompanyEvent[],
): Readership {
  const { evolve } = chatGroupOf(groupId).aggregate;
  let { group, company } = before;
  const readers = new Map(before.readers);
  for (const event of events) {
    if (isOfCompany(event)) {
      const { initial, evolve: evolveCompany } = companyOf(event.data.companyId).aggregate;
      company = evolveCompany(company ?? initial, event as never);
    } else {
      group = evolve(group, event as never);
      if (group.status !== 'none' && group.companyId !== null)
        company ??= companyOf(group.companyId).aggregate.initial;
    }
    const room = { group, company };
    for (const userId of concerned({ ...room, readers }, event)) {
      if (!mayInRoom(room, userId, 'read')) {
        readers.delete(userId);
        continue;
      }
      const role = mayInRoom(room, userId, 'manage') ? 'admin' : 'member';
      const since = readers.get(userId) ?? { userId, since: event.occurredAt, byEvent: event.id };
      readers.set(userId, { ...since, role });
    }
  }
  return { group, company, readers };
}
