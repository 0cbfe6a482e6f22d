import type pg from 'pg';
import type { AggregateLoader } from '../commands/aggregate-cache.ts';
import { chatGroupOf, isMember } from '../commands/chat-group/chat-group.ts';
import { type ReadMarkers, moveReadMarker } from '../commands/read-marker/move-read-marker.ts';
import { require } from '../commands/rejection.ts';
import type { EventStore } from '../events/event-store.ts';
import type { GroupId, UserId } from '../events/ids.ts';
import type { Progress } from '../projections/projection.ts';
import { conversations } from '../projections/conversations.ts';
import { caughtUpWithLog } from './caught-up.ts';

/** How many messages there are, and how many of them the member sent or had read. */
interface Standing {
  headSeq: number;
  messages: number;
  sent: number;
  marker: number;
  total: number;
  own: number;
}

const STANDING = `
  select coalesce(c.head_seq, 0) as "headSeq", coalesce(c.message_count, 0) as messages,
    coalesce(s.sent, 0) as sent, coalesce(r.seq, 0) as marker, coalesce(r.total, 0) as total,
    coalesce(r.own, 0) as own
  from (select) one
  left join conversations.conversations c on c.group_id = $1
  left join conversations.senders s on s.group_id = $1 and s.user_id = $2
  left join public.read_markers r on r.group_id = $1 and r.user_id = $2`;

/** How many messages there are up to a seq: the ordinal of the last one, found by index in a group of any size. */
const TOTAL = `
  select m.ordinal as total from conversations.messages m
  where m.group_id = $1 and m.seq <= $2 order by m.seq desc limit 1`;

/** Looks at every message of a stretch, which is why it is asked for the shorter one. */
const OWN_BETWEEN = `
  select count(*) as own from conversations.messages m
  where m.group_id = $1 and m.sender_id = $2 and m.seq > $3 and m.seq <= $4`;

const MOVE = `
  insert into public.read_markers as r (group_id, user_id, seq, total, own) values ($1, $2, $3, $4, $5)
  on conflict (group_id, user_id) do update
  set seq = excluded.seq, total = excluded.total, own = excluded.own
  where r.seq < excluded.seq`;

const unread = ({ messages, sent, total, own }: Standing) => messages - total - (sent - own);

/** Where members have read up to. */
export function createReadMarkers({
  pool,
  loader,
  ...log
}: {
  pool: pg.Pool;
  store: Pick<EventStore, 'head'>;
  loader: AggregateLoader;
  progress: Pick<Progress, 'reached'>;
}): ReadMarkers {
  async function standing(groupId: GroupId, userId: UserId): Promise<Standing> {
    const query = { name: 'read-marker-standing', text: STANDING, values: [groupId, userId] };
    return (await pool.query<Standing>(query)).rows[0]!;
  }

  async function totalUpTo(groupId: GroupId, seq: number): Promise<number> {
    const query = { name: 'read-marker-total', text: TOTAL, values: [groupId, seq] };
    return (await pool.query<{ total: number }>(query)).rows[0]?.total ?? 0;
  }

  /** Counted on from the old marker or back from the head: along all its moves a member's messages are counted once. */
  async function ownUpTo(groupId: GroupId, userId: UserId, seq: number, from: Standing): Promise<number> {
    const isNearHead = from.headSeq - seq < seq - from.marker;
    const [after, upTo] = isNearHead ? [seq, from.headSeq] : [from.marker, seq];
    if (after === upTo) return isNearHead ? from.sent : from.own;
    const query = { name: 'read-marker-own', text: OWN_BETWEEN, values: [groupId, userId, after, upTo] };
    const { own } = (await pool.query<{ own: number }>(query)).rows[0]!;
    return isNearHead ? from.sent - own : from.own + own;
  }

  return {
    async move(groupId, userId, seq) {
      const { state: group } = await loader.refresh(chatGroupOf(groupId));
      // Before the wait: a stranger must not hear of a read model that lags.
      require(isMember(group, userId), 'GROUP_NOT_FOUND');
      await caughtUpWithLog(log, conversations);
      const before = await standing(groupId, userId);
      const target = moveReadMarker({ seq }, { group, ...before }, { userId });
      if (target <= before.marker) return { seq: before.marker, unreadCount: unread(before), moved: false };
      const [total, own] = await Promise.all([
        totalUpTo(groupId, target),
        ownUpTo(groupId, userId, target, before),
      ]);
      const { rowCount } = await pool.query({
        name: 'read-marker-move',
        text: MOVE,
        values: [groupId, userId, target, total, own],
      });
      const after = await standing(groupId, userId);
      return { seq: after.marker, unreadCount: unread(after), moved: rowCount === 1 };
    },
  };
}
