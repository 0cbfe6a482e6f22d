import type pg from 'pg';
import type { Checkpoint } from '../audit/checkpoint.ts';
import type { Position } from '../events/event-store.ts';
import type { GroupId, UserId } from '../events/ids.ts';
import { plain } from '../kit/array-parameters.ts';
import { beginEpoch } from '../adapters/postgres/event-log/epochs.ts';
import { inTransaction } from '../adapters/postgres/transactions.ts';

/** The notifier's row in the table of checkpoints. */
const NOTIFIER = 'notifier';

export interface ReadMarker {
  groupId: GroupId;
  userId: UserId;
  seq: number;
  /** The number of messages of the group up to `seq`, and of the member's own among them. */
  total: number;
  own: number;
}

export interface AfterRestore {
  /** The head of the log. */
  head: Position;
  /** Leaves what waits to be sent, instead of settling it. */
  keepsNotifications: boolean;
  /** Read markers that were beyond the end of their conversations, as they are to be. */
  markers: readonly ReadMarker[];
  /** The place of the checkpoints, and the last one that still fits the log. */
  sealed?: { place: string; last: Checkpoint | undefined } | undefined;
}

export interface Begun {
  epoch: string;
  /** Readers of the log that go on elsewhere. */
  moved: { name: string; from: Position }[];
  /** Names of read models that knew events beyond the end of the log. They are made anew when a server starts. */
  removed: string[];
  notifications: number;
  letters: number;
  keys: number;
}

/** A read model has a schema of its name. */
const AHEAD = `
  select name, position::float8 as position, name in (select nspname from pg_namespace) as "isModel"
  from public.checkpoints where position > $1 order by name`;

const SETTLE = `
  update notifications n set outcome = 'restored', settled_at = clock_timestamp()
  where outcome is null and not exists (
    select from notification_batches b where b.batch_id = n.batch_id and b.parked_at is not null
  )`;

const END_BATCHES = `
  with ended as (
    update notification_batches set done_at = clock_timestamp(), claimed_until = null
    where done_at is null and parked_at is null returning batch_id
  )
  select count(*)::int as letters from ended join account_letters on letter_id = batch_id`;

const MOVE_MARKERS = `
  update read_markers r set seq = m.seq, total = m.total, own = m.own
  from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[]) m (group_id, user_id, seq, total, own)
  where r.group_id = m.group_id and r.user_id = m.user_id`;

/**
 * Makes a database that was restored, or whose log was, ready to go on from the head of the log, in one transaction: a new
 * epoch begins, and nothing in it knows of anything beyond the head. What waits to be sent has most likely been sent
 * after the backup was made. Needs the owner's connection, and that no server runs.
 */
export function beginAfterRestore(client: pg.Client, restored: AfterRestore): Promise<Begun> {
  const { head, keepsNotifications, markers, sealed } = restored;
  const count = async (text: string, values: unknown[] = []) =>
    (await client.query(text, values)).rowCount ?? 0;

  /** Settles what waits, and leaves what is parked to the operator. */
  async function settle(): Promise<{ notifications: number; letters: number }> {
    if (keepsNotifications) return { notifications: 0, letters: 0 };
    const notifications = await count(SETTLE);
    const { rows } = await client.query<{ letters: number }>(END_BATCHES);
    await client.query('update notification_pace set waits = false where waits');
    await client.query('delete from notification_fan_outs');
    return { notifications, letters: rows[0]!.letters };
  }

  async function moveReaders(): Promise<Pick<Begun, 'moved' | 'removed'>> {
    const { rows } = await client.query<{ name: string; position: Position; isModel: boolean }>(AHEAD, [
      head,
    ]);
    const removed = rows.filter(({ isModel }) => isModel).map(({ name }) => name);
    for (const name of removed) await client.query(`drop schema ${client.escapeIdentifier(name)} cascade`);
    await client.query('delete from public.checkpoints where name = any ($1)', [removed]);
    const others = rows.filter(({ isModel }) => !isModel);
    if (!keepsNotifications && !others.some(({ name }) => name === NOTIFIER)) {
      const notifier = await client.query<{ position: Position }>(
        'select position::float8 as position from public.checkpoints where name = $1 and position <> $2',
        [NOTIFIER, head],
      );
      others.push(...notifier.rows.map(({ position }) => ({ name: NOTIFIER, position, isModel: false })));
    }
    const moved = others.map(({ name, position }) => ({ name, from: position }));
    await client.query('update public.checkpoints set position = $1 where name = any ($2)', [
      head,
      moved.map(({ name }) => name),
    ]);
    return { moved, removed };
  }

  async function takeSealsBack(): Promise<void> {
    if (!sealed) return;
    const { place, last } = sealed;
    await client.query('update seals set checkpoint = $2 where place = $1', [
      place,
      last ? JSON.stringify(last) : null,
    ]);
    await client.query(
      'delete from seal_tiles where position > $2 and seal in (select id from seals where place = $1)',
      [place, last?.position ?? 0],
    );
  }

  return inTransaction(client, async () => {
    await client.query(
      'lock table public.checkpoints, notifications, notification_batches, log_epochs in exclusive mode',
    );
    const { epoch } = await beginEpoch(client, head);
    const readers = await moveReaders();
    const settled = await settle();
    if (keepsNotifications)
      await client.query('delete from notification_fan_outs where position > $1', [head]);
    await takeSealsBack();
    if (markers.length > 0)
      await client.query(
        MOVE_MARKERS,
        (['groupId', 'userId', 'seq', 'total', 'own'] as const).map((name) =>
          plain(markers.map((marker) => marker[name])),
        ),
      );
    // Their answers name positions of the epoch before. A command that is repeated finds its first outcome in the log.
    const keys = await count('delete from idempotency_keys');
    await client.query('delete from leases');
    return { epoch, ...readers, ...settled, keys };
  });
}
