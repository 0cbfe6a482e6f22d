import type pg from 'pg';

/** What waits in one queue of the database. */
export interface Waiting {
  queue: string;
  /** Counted up to 10,000. */
  count: number;
  /** Time since the oldest could have been handled; 0 when none waits. */
  seconds: number;
}

const COUNTED = 10_000;
const count = (what: string): string => `(select count(*) from (select ${what} limit ${COUNTED}) counted)`;

const OPEN = 'b.done_at is null and b.parked_at is null';
const IS_DUE = `${OPEN} and (b.put_off_until is null or b.put_off_until <= $1::timestamptz)`;
const oldestBatch = (from: string): string =>
  `(select greatest(b.gathered_at, b.put_off_until) from ${from} where ${IS_DUE} order by b.gathered_at limit 1)`;
const LETTERS = 'notification_batches b join account_letters l on l.letter_id = b.batch_id';
const firstDue = (isSlow: boolean): string =>
  `(select min(not_before) from notification_pace where waits and is_slow = ${isSlow} and not_before <= $1::timestamptz)`;

/** Each queue: what is counted in it, and since when the oldest waits. */
const QUEUES: Record<string, { what: string; since: string }> = {
  notifications: {
    what: 'from notifications where outcome is null',
    since: `least(${firstDue(false)}, ${firstDue(true)})`,
  },
  batches: {
    what: `from notification_batches b where ${IS_DUE}`,
    since: oldestBatch('notification_batches b'),
  },
  letters: { what: `from ${LETTERS} where ${IS_DUE}`, since: oldestBatch(LETTERS) },
  audiences: {
    what: 'from notification_fan_outs',
    since: '(select sent_at from notification_fan_outs order by position limit 1)',
  },
  files: {
    what: `from files.files where status = 'scanning'`,
    since: `(select min(requested_at) from files.files where status = 'scanning')`,
  },
};

const WAITING = Object.entries(QUEUES)
  .map(
    ([queue, { what, since }]) => `
  select '${queue}' as queue, ${count(what)} as count,
    greatest(coalesce(extract(epoch from $1::timestamptz - ${since}), 0), 0)::float8 as seconds`,
  )
  .join(' union all ');

const PARKED = `select ${count('from notification_batches where parked_at is not null')} as parked`;

/**
 * Resolves with what waits in the queues of the database, whichever process has to handle it, and with the number of
 * batches that wait for an operator.
 */
export async function readWaiting(
  pool: Pick<pg.Pool, 'query'>,
  now: Date,
): Promise<{ queues: Waiting[]; parked: number }> {
  const { rows: queues } = await pool.query<Waiting>(WAITING, [now]);
  const { rows } = await pool.query<{ parked: number }>(PARKED);
  return { queues, parked: rows[0]!.parked };
}
