import type { MembershipEvent } from '../events/domain-event.ts';
import type { Recorded } from '../events/event-store.ts';
import { type Column, column, statementAbout } from './columns.ts';
import type { Statement } from './projection.ts';

/** The types of events that bring users into a group or take them out. */
export const movementTypes = [
  'ChatGroupCreated',
  'MemberJoined',
  'MemberLeft',
  'MemberRemoved',
] as const satisfies MembershipEvent['type'][];
export type Movement = Recorded<MembershipEvent>;

const MOVEMENTS: ReadonlySet<string> = new Set(movementTypes);
export const isMovement = (event: Recorded): event is Movement => MOVEMENTS.has(event.type);

/** The changes of a batch to one user in one group. */
interface Moved {
  groupId: string;
  userId: string;
  isIn: boolean;
  /** Position of the event that may have been the arrival; null when there was none. */
  arrivedAt: number | null;
  /**
   * True if the event was an arrival in any case. Otherwise it changed the role of a user who was a member
   * before the batch.
   */
  isArrival: boolean;
}

function collapse(events: readonly Movement[]): Moved[] {
  const people = new Map<string, Moved>();
  for (const event of events) {
    const { groupId } = event.data;
    const userId = event.type === 'ChatGroupCreated' ? event.data.adminId : event.data.userId;
    const key = `${groupId}/${userId}`;
    const before = people.get(key);
    const isIn = event.type === 'ChatGroupCreated' || event.type === 'MemberJoined';
    const moved = before ?? { groupId, userId, isIn, arrivedAt: null, isArrival: false };
    if (isIn && !before?.isIn)
      people.set(key, { ...moved, isIn, arrivedAt: event.position, isArrival: before !== undefined });
    else people.set(key, { ...moved, isIn });
  }
  return [...people.values()];
}

/**
 * An SQL join: the last message before an arrival. Arrivals are new, so it is among the last messages of its
 * group.
 */
const LAST_BEFORE = `
  left join lateral (
    select m.seq, m.ordinal from messages m
    where m.group_id = b.group_id and m.position < b.arrived_at order by m.seq desc limit 1
  ) last on true`;

/** What those who come into the group do not see: earlier messages, where its history begins for them as they join. */
const HIDDEN = `case when (
  select c.history_from from conversations c where c.group_id = b.group_id
) = 'joined' then coalesce(last.seq, 0) else 0 end`;

const columns: Record<string, Column<Moved>> = {
  group_id: column.uuid(({ groupId }) => groupId),
  user_id: column.uuid(({ userId }) => userId),
  is_in: column.boolean(({ isIn }) => isIn),
  arrived_at: column.bigint(({ arrivedAt }) => arrivedAt),
};

const comeBack = statementAbout<Moved>({
  name: 'come-back',
  columns: { ...columns, is_arrival: column.boolean(({ isArrival }) => isArrival) },
  text: ({ batch }) => `
    update participants p
    set is_in = b.is_in, from_seq = coalesce(last.seq, 0), from_total = coalesce(last.ordinal, 0),
      hidden_seq = ${HIDDEN},
      from_own = p.sent - (
        select count(*) from messages m
        where m.group_id = p.group_id and m.sender_id = p.user_id and m.seq > coalesce(last.seq, 0)
      )
    from ${batch} ${LAST_BEFORE}
    where p.group_id = b.group_id and p.user_id = b.user_id
      and b.arrived_at is not null and (b.is_arrival or not p.is_in)`,
});

const stand = statementAbout<Moved>({
  name: 'stand',
  columns,
  text: ({ batch }) => `
    insert into participants as p (group_id, user_id, is_in, sent, from_seq, from_total, from_own, hidden_seq)
    select b.group_id, b.user_id, b.is_in, 0, coalesce(last.seq, 0), coalesce(last.ordinal, 0), 0, ${HIDDEN}
    from ${batch} ${LAST_BEFORE}
    on conflict (group_id, user_id) do update set is_in = excluded.is_in where p.is_in <> excluded.is_in`,
});

/**
 * Returns the statements that record since when users are in a group: earlier messages count as read. They
 * run after the statements that store the messages of the batch.
 */
export function moveParticipants(events: readonly Movement[]): Statement[] {
  const moved = collapse(events);
  return [...comeBack(moved), ...stand(moved)];
}
