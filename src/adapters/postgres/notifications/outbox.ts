import type pg from 'pg';
import type { Position } from '../../../events/event-store.ts';
import type { AccountLetter } from '../../../notifications/deliver/account-letters.ts';
import type { Batch, Lane, Notification } from '../../../notifications/notification.ts';
import type { Outbox, ParkedBatch, UnsentBatch, Waiting } from '../../../notifications/outbox.ts';
import { plain } from '../../../kit/array-parameters.ts';
import { addFanOuts } from './fan-outs.ts';
import { writeNotifications } from './rows.ts';
import { transaction } from '../transactions.ts';

/** The notifier's row in the table of checkpoints. */
const NOTIFIER = 'notifier';
/** A batch that is not settled this long after it was published counts as lost by the queue. */
const LOST_MINUTES = 15;
/** Longer than a publication and its mark take. If a relay dies in between, its batches are delayed by this long. */
const CLAIM_SECONDS = 10;
/** A batch that is not settled this long after it was gathered counts as stuck. */
const STUCK_SECONDS = 5;
const LONGEST_REASON = 1_000;
const LISTED = 1_000;
/** Maximum number of batches that one statement puts back. */
const REPLAYED_AT_ONCE = 1_000;

const COUNTED = 100_000;

const MOVE = `select move_checkpoint('${NOTIFIER}', $1, $2)`;

/**
 * Two relays that run this at once get different batches. A batch that has failed before, or that follows a
 * stuck batch, goes in the slow lane, because it would delay others.
 */
const CLAIM = `
  update notification_batches b set claimed_until = $1::timestamptz + make_interval(secs => ${CLAIM_SECONDS})
  from (
    select batch_id from notification_batches
    where done_at is null and parked_at is null and publish_at <= $1
      and (claimed_until is null or claimed_until <= $1)
    order by publish_at limit $2
    for update skip locked
  ) claimed
  where b.batch_id = claimed.batch_id
  returning b.batch_id as "batchId", b.channel || case when b.is_slow or b.attempts > 0 or exists (
      select from notification_batches o
      where o.recipient_id = b.recipient_id and o.channel = b.channel and o.done_at is null and o.parked_at is null
        and o.gathered_at < b.gathered_at and o.gathered_at < $1::timestamptz - make_interval(secs => ${STUCK_SECONDS})
    ) then '-slow' else '' end as lane`;

/** A faster worker may have asked for a retry meanwhile: its time is kept. */
const PUBLISHED = `
  update notification_batches
  set publish_at = $2::timestamptz + make_interval(mins => ${LOST_MINUTES}), claimed_until = null
  where batch_id = $1 and publish_at <= $2 and done_at is null and parked_at is null`;

const LOAD = `
  select b.recipient_id as "recipientId", b.channel, b.attempts, n.event_id as "eventId", n.kind,
    n.group_id as "groupId", n.subject_id as "subjectId", n.seq, n.position,
    l.kind as "letterKind", l.address, l.user_id as "userId", l.written_at as "writtenAt"
  from notification_batches b
  left join notifications n on n.batch_id = b.batch_id and n.outcome is null
  left join account_letters l on l.letter_id = b.batch_id
  where b.batch_id = $1 and b.done_at is null and b.parked_at is null
    and (n.event_id is not null or l.letter_id is not null)
  order by n.position, n.event_id`;

type LoadedRow = Notification &
  Pick<Batch, 'attempts'> &
  Omit<AccountLetter, 'kind'> & { letterKind: AccountLetter['kind'] | null };

const PARKED = `
  select b.batch_id as "batchId", b.recipient_id as "recipientId", b.channel, b.park_reason as reason,
    b.parked_at as "parkedAt",
    (select count(*) from notifications n where n.batch_id = b.batch_id and n.outcome is null) as notifications
  from notification_batches b
  where b.parked_at is not null
    and ($1::timestamptz is null or (b.parked_at, b.batch_id) > ($1, $2::uuid))
  order by b.parked_at, b.batch_id limit $3`;

const UNSENT = `
  select batch_id as "batchId", recipient_id as "recipientId", channel, attempts, last_error as "lastError",
    gathered_at as "gatheredAt", publish_at as "publishAt"
  from notification_batches where done_at is null and parked_at is null order by publish_at, batch_id limit ${LISTED}`;

/** An operator gives the ids, so their number is limited by the length of a command line. */
const REPLAY = `
  update notification_batches
  set parked_at = null, park_reason = null, attempts = 0, publish_at = $1, claimed_until = null
  where batch_id = any (array(
    select batch_id from notification_batches
    where parked_at is not null and ($2::uuid[] is null or batch_id = any ($2::uuid[]))
    order by parked_at limit ${REPLAYED_AT_ONCE}
  ))`;

const BACKLOG = `
  select
    (select count(*) from (select from notifications where outcome is null limit ${COUNTED}) n) as waiting,
    (select count(*) from (select from notification_batches where parked_at is not null limit ${COUNTED}) b) as parked,
    (
      select coalesce(extract(epoch from $1::timestamptz - min(publish_at)), 0)::float8 from notification_batches
      where done_at is null and parked_at is null and publish_at <= $1
    ) as "oldestUnpublishedSeconds"`;

const notificationIn = ({
  eventId,
  kind,
  groupId,
  subjectId,
  seq,
  position,
  ...row
}: LoadedRow): Notification => ({
  ...{ eventId, recipientId: row.recipientId, channel: row.channel },
  ...{ kind, groupId, subjectId, seq, position },
});

/** Creates the outbox in PostgreSQL. `now` decides what is due. */
export function createOutbox({ pool, now = () => new Date() }: { pool: pg.Pool; now?: () => Date }): Outbox {
  const changed = async (text: string, values: unknown[]): Promise<number> =>
    (await pool.query(text, values)).rowCount ?? 0;

  return {
    async checkpoint() {
      const { rows } = await pool.query<{ position: Position }>(
        'select position from checkpoints where name = $1',
        [NOTIFIER],
      );
      return rows[0]?.position;
    },
    async begin(position) {
      await changed(
        'insert into checkpoints (name, position, version) values ($1, $2, 1) on conflict do nothing',
        [NOTIFIER, position],
      );
    },
    async write({ from, to, candidates, fanOuts = [] }) {
      if (candidates.length + fanOuts.length === 0) return void (await pool.query(MOVE, [from, to]));
      await transaction(pool, async (client) => {
        await client.query(MOVE, [from, to]);
        if (fanOuts.length > 0) await addFanOuts(client, fanOuts);
        if (candidates.length > 0) await writeNotifications(client, now(), candidates, { isSlow: false });
      });
    },

    async due({ isSlow, limit }) {
      const { rows } = await pool.query<Waiting>(
        `select recipient_id as "recipientId", channel, topic, gathered_at as "gatheredAt" from notification_pace
         where waits and is_slow = $3 and not_before <= $1 order by not_before limit $2`,
        [now(), limit, isSlow],
      );
      return rows;
    },
    async postpone({ recipientId, channel, topic }, until) {
      await changed(
        `update notification_pace set not_before = $4
         where recipient_id = $1 and channel = $2 and topic = $3 and waits and not_before < $4`,
        [recipientId, channel, topic, until],
      );
    },
    async reconsider(recipientIds) {
      await changed(
        `update notification_pace set not_before = $2
         where recipient_id = any ($1::uuid[]) and waits and not_before > $2`,
        [plain(recipientIds), now()],
      );
    },
    async gather({ recipientId, channel, topic, gatheredAt }, batchId) {
      await pool.query('select gather_notifications($1, $2, $3, $4, $5, $6)', [
        recipientId,
        channel,
        topic,
        batchId,
        gatheredAt,
        now(),
      ]);
    },
    async unpublished(limit) {
      const { rows } = await pool.query<{ batchId: string; lane: Lane }>(CLAIM, [now(), limit]);
      return rows;
    },
    async published(batchId) {
      await changed(PUBLISHED, [batchId, now()]);
    },

    async load(batchId) {
      const { rows } = await pool.query<LoadedRow>(LOAD, [batchId]);
      if (!rows[0]) return undefined;
      const { recipientId, channel, attempts, letterKind, address, userId, writtenAt } = rows[0];
      const batch = { batchId, recipientId, channel, attempts };
      if (letterKind)
        return { ...batch, notifications: [], letter: { kind: letterKind, address, userId, writtenAt } };
      return { ...batch, notifications: rows.map(notificationIn) };
    },
    async settle(batchId, outcomes) {
      await pool.query('select settle_notifications($1, $2, $3, $4)', [
        batchId,
        plain(outcomes.map(({ eventId }) => eventId)),
        plain(outcomes.map(({ outcome }) => outcome)),
        now(),
      ]);
    },
    async retry(batchId, at, error) {
      await changed(
        `update notification_batches
         set attempts = attempts + case when $3::text is null then 0 else 1 end, publish_at = $2,
           claimed_until = null, last_error = $3,
           put_off_until = case when $3::text is null then $2 else put_off_until end
         where batch_id = $1 and done_at is null and parked_at is null`,
        [batchId, at, error?.slice(0, LONGEST_REASON)],
      );
    },
    async park(batchId, reason) {
      await changed(
        `update notification_batches set parked_at = $2, park_reason = $3
         where batch_id = $1 and done_at is null and parked_at is null`,
        [batchId, now(), reason.slice(0, LONGEST_REASON)],
      );
    },
    async parked({ after, limit } = { limit: LISTED }) {
      const { rows } = await pool.query<Omit<ParkedBatch, 'parkedAt'> & { parkedAt: Date }>(PARKED, [
        after?.parkedAt,
        after?.batchId,
        limit,
      ]);
      return rows.map((row) => ({ ...row, parkedAt: row.parkedAt.toISOString() }));
    },
    async unsent() {
      const { rows } = await pool.query<UnsentBatch & { gatheredAt: Date; publishAt: Date }>(UNSENT);
      return rows.map((row) => ({
        ...row,
        gatheredAt: row.gatheredAt.toISOString(),
        publishAt: row.publishAt.toISOString(),
      }));
    },
    async replay(batchIds) {
      let replayed = 0;
      for (let last = REPLAYED_AT_ONCE; last === REPLAYED_AT_ONCE; replayed += last)
        last = await changed(REPLAY, [now(), batchIds ?? null]);
      return replayed;
    },
    async backlog() {
      const { rows } = await pool.query<Awaited<ReturnType<Outbox['backlog']>>>(BACKLOG, [now()]);
      return rows[0]!;
    },
  };
}
