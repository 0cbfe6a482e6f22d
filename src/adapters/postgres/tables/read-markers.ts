import type pg from 'pg';
import type { AggregateLoader } from '../../../commands/aggregate-cache.ts';
import { type Room, loadRoom, mayInRoom } from '../../../commands/chat-group/room.ts';
import type { Actor } from '../../../commands/command.ts';
import { type ReadMarkers, moveReadMarker } from '../../../commands/read-marker/move-read-marker.ts';
import { CommandRejected } from '../../../commands/rejection.ts';
import type { EventStore } from '../../../events/event-store.ts';
import type { GroupId, UserId } from '../../../events/ids.ts';
import type { Progress } from '../../../projections/projection.ts';
import { conversations } from '../../../projections/conversations.ts';
import { caughtUpWithLog } from '../../../projections/caught-up.ts';

/** The number of messages in a conversation, the number that the member sent, and both counts up to the marker. */
interface Standing {
  headSeq: number;
  messages: number;
  sent: number;
  marker: number;
  total: number;
  own: number;
  /** Number of deleted messages of others after the marker. */
  deleted: number;
}

/** One member's request to move a marker. Requests of the same member before its turn are answered together. */
interface Wish {
  groupId: GroupId;
  userId: UserId;
  actor: Actor;
  seq: number;
  answer: PromiseWithResolvers<Awaited<ReturnType<ReadMarkers['move']>>>;
}

type Move = Pick<Wish, 'groupId' | 'userId'> & {
  target: number;
  /** The member's own messages up to the target are `own` plus `sign` times those after `after` up to `upTo`. */
  own: number;
  sign: 1 | -1;
  after: number;
  upTo: number;
};

/** Number of markers that one statement moves. */
const BATCH = 200;
/** Number of messages from which counting them takes too long for others to wait for it. */
const LONG_STRETCH = 2_000;

const STANDINGS = `
  select coalesce(c.head_seq, 0) as "headSeq", coalesce(c.message_count, 0) as messages,
    coalesce(p.sent, 0) as sent, greatest(r.seq, p.from_seq, 0) as marker,
    greatest(r.total, p.from_total, 0) as total, greatest(r.own, p.from_own, 0) as own, (
      select count(*) from conversations.messages d
      where d.group_id = asked.group_id and d.seq > greatest(r.seq, p.from_seq, 0) and d.deleted_at is not null
        and d.sender_id <> asked.user_id
    ) as deleted
  from unnest($1::uuid[], $2::uuid[]) with ordinality asked (group_id, user_id, nth)
  left join lateral (select * from conversations.conversations c where c.group_id = asked.group_id) c on true
  left join lateral (
    select * from conversations.participants p where p.group_id = asked.group_id and p.user_id = asked.user_id
  ) p on true
  left join lateral (
    select * from public.read_markers r where r.group_id = asked.group_id and r.user_id = asked.user_id
  ) r on true
  order by nth`;

/**
 * The number of messages up to a seq is the ordinal of the last one, found by index in a group of any size.
 * All processes lock the rows in the same order, so that none deadlocks with another.
 */
const MOVES = `
  insert into public.read_markers as r (group_id, user_id, seq, total, own)
  select asked.group_id, asked.user_id, asked.target, coalesce((
    select m.ordinal from conversations.messages m
    where m.group_id = asked.group_id and m.seq <= asked.target order by m.seq desc limit 1
  ), 0), asked.own + asked.sign * (
    select count(*) from conversations.messages m
    where m.group_id = asked.group_id and m.sender_id = asked.user_id
      and m.seq > asked.after and m.seq <= asked.up_to
  )
  from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::int[], $6::bigint[], $7::bigint[])
    asked (group_id, user_id, target, own, sign, after, up_to)
  order by asked.group_id, asked.user_id
  on conflict (group_id, user_id) do update
  set seq = excluded.seq, total = excluded.total, own = excluded.own
  where r.seq < excluded.seq
  returning group_id as "groupId", user_id as "userId"`;

const keyOf = ({ groupId, userId }: Pick<Wish, 'groupId' | 'userId'>) => `${groupId} ${userId}`;
const unread = ({ messages, sent, total, own, deleted }: Standing) =>
  messages - total - (sent - own) - deleted;

/**
 * Returns the move of a marker. Own messages are counted onward from the marker, or back from the head,
 * whichever is nearer.
 */
function moveTo({ groupId, userId }: Wish, target: number, { headSeq, marker, sent, own }: Standing): Move {
  const isNearHead = headSeq - target < target - marker;
  const [after, upTo] = isNearHead ? [target, headSeq] : [marker, target];
  return { groupId, userId, target, own: isNearHead ? sent : own, sign: isNearHead ? -1 : 1, after, upTo };
}

/**
 * Creates the read markers. In a busy group every member marks every message, on several devices, so requests
 * that arrive during a batch make up the next one.
 */
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
  const waiting = new Map<string, Wish>();
  let isWorking = false;

  async function standings(wishes: readonly Wish[]): Promise<Standing[]> {
    const values = [wishes.map(({ groupId }) => groupId), wishes.map(({ userId }) => userId)];
    return (await pool.query<Standing>({ name: 'read-marker-standings', text: STANDINGS, values })).rows;
  }

  /** Resolves with the keys of the markers that moved. The others were overtaken. */
  async function moved(moves: readonly Move[]): Promise<Set<string>> {
    const values = (['groupId', 'userId', 'target', 'own', 'sign', 'after', 'upTo'] as const).map((column) =>
      moves.map((move) => move[column]),
    );
    const query = { name: 'read-marker-moves', text: MOVES, values };
    return new Set((await pool.query<Pick<Move, 'groupId' | 'userId'>>(query)).rows.map(keyOf));
  }

  async function settle(wishes: readonly Wish[], rooms: ReadonlyMap<GroupId, Room>): Promise<void> {
    const before = await standings(wishes);
    const moves = wishes.flatMap((wish, index) => {
      const standing = before[index]!;
      const target = moveReadMarker(wish, { ...rooms.get(wish.groupId)!, ...standing }, wish);
      return target > standing.marker ? [moveTo(wish, target, standing)] : [];
    });
    const [long, short] = [moves.filter(isLong), moves.filter((move) => !isLong(move))];
    const slow = new Set(long.map(keyOf));
    await answer(
      wishes.filter((wish) => !slow.has(keyOf(wish))),
      short,
    );
    for (const move of long) {
      const wish = wishes.filter((one) => keyOf(one) === keyOf(move));
      void answer(wish, [move]).catch((error: unknown) => wish[0]!.answer.reject(error));
    }
  }

  async function answer(wishes: readonly Wish[], moves: readonly Move[]): Promise<void> {
    const done = moves.length > 0 ? await moved(moves) : new Set<string>();
    const after = await standings(wishes);
    for (const [index, wish] of wishes.entries()) {
      const standing = after[index]!;
      wish.answer.resolve({
        seq: standing.marker,
        unreadCount: unread(standing),
        moved: done.has(keyOf(wish)),
      });
    }
  }

  /**
   * Resolves with the current rooms of some requests. Requests for groups that cannot be loaded are rejected
   * at once, before waiting for the read model.
   */
  async function roomsOf(wishes: readonly Wish[]): Promise<Map<GroupId, Room>> {
    const rooms = new Map<GroupId, Room>();
    const asking = [...Map.groupBy(wishes, ({ groupId }) => groupId)];
    const loaded = await Promise.allSettled(
      asking.map(([groupId, those]) => {
        // Only the company's people need to know who they are.
        const staff = those.find(({ actor }) => actor.role === 'company');
        return loadRoom((ref) => loader.refresh(ref), groupId, (staff ?? those[0]!).actor);
      }),
    );
    for (const [index, result] of loaded.entries()) {
      const [groupId, those] = asking[index]!;
      if (result.status === 'rejected') for (const { answer } of those) answer.reject(result.reason);
      else rooms.set(groupId, result.value);
    }
    return rooms;
  }

  async function serve(wishes: readonly Wish[]): Promise<void> {
    const rooms = await roomsOf(wishes);
    const admitted = wishes.filter(({ groupId, userId, answer: { reject } }) => {
      const room = rooms.get(groupId);
      const isAdmitted = room !== undefined && mayInRoom(room, userId, 'read');
      if (room && !isAdmitted) reject(new CommandRejected('GROUP_NOT_FOUND'));
      return isAdmitted;
    });
    if (admitted.length === 0) return;
    await caughtUpWithLog(log, conversations);
    await settle(admitted, rooms);
  }

  async function work(): Promise<void> {
    while (waiting.size > 0) {
      const batch = [...waiting.values()].slice(0, BATCH);
      for (const wish of batch) waiting.delete(keyOf(wish));
      await serve(batch).catch((error: unknown) => batch.forEach((wish) => wish.answer.reject(error)));
    }
  }

  return {
    move(groupId, actor, seq) {
      const { userId } = actor;
      const key = keyOf({ groupId, userId });
      const wish = waiting.get(key) ?? { groupId, userId, actor, seq, answer: Promise.withResolvers() };
      wish.seq = Math.max(wish.seq, seq);
      waiting.set(key, wish);
      if (!isWorking) {
        isWorking = true;
        void work().finally(() => (isWorking = false));
      }
      return wish.answer.promise;
    },
  };
}

const isLong = ({ after, upTo }: Move) => upTo - after > LONG_STRETCH;
