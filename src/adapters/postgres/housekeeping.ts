import type pg from 'pg';
import type { Logger } from 'pino';
import { sleep } from '../../kit/back-off.ts';
import { NONCES_KEPT_SECONDS } from '../../files/inspect/scan-report.ts';
import { countExpired, deleteInSlices, type Expired } from './delete-in-slices.ts';
import type { Metrics } from '../prometheus/metrics.ts';

const EVERY_MS = 600_000;

/** Everything that is deleted by age. */
export const EXPIRED: readonly Expired[] = [
  {
    table: 'idempotency_keys',
    where: `claimed_at < $1::timestamptz - interval '24 hours'`,
    oldestBy: 'claimed_at',
  },
  { table: 'signing_keys', where: 'retires_at < $1::timestamptz', oldestBy: 'retires_at' },
  { table: 'client_assertions', where: 'expires_at < $1::timestamptz', oldestBy: 'expires_at' },
  {
    // No token of a client lives for longer.
    table: 'client_sessions',
    where: `revoked_at < $1::timestamptz - interval '24 hours'`,
    oldestBy: 'revoked_at',
  },
  { table: 'company_invitations', where: 'expires_at < $1::timestamptz', oldestBy: 'expires_at' },
  { table: 'sessions', where: 'expires_at < $1::timestamptz', oldestBy: 'expires_at' },
  {
    table: 'scan_report_nonces',
    where: `spent_at < $1::timestamptz - interval '${NONCES_KEPT_SECONDS} seconds'`,
    oldestBy: 'spent_at',
  },
  {
    // Rows before the checkpoint and before all fan-outs are not read again: none of them is written a second
    // time.
    table: 'notifications',
    where: `settled_at < $1::timestamptz - interval '24 hours'
      and position <= (select position from checkpoints where name = 'notifier')
      and position < coalesce((select min(position) from notification_fan_outs), position + 1)`,
    oldestBy: 'settled_at',
  },
  {
    table: 'notification_batches',
    where: `done_at < $1::timestamptz - interval '24 hours'`,
    oldestBy: 'done_at',
  },
];

interface HousekeepingOptions {
  pool: Pick<pg.Pool, 'query'>;
  log: Logger;
  metrics: Pick<Metrics, 'expiredRows'>;
  now?: () => Date;
  everyMs?: number;
}

/**
 * Deletes expired rows, at the start and every ten minutes, and reports what is left. A failing table does
 * not delay the others.
 */
export function startHousekeeping({
  pool,
  log,
  metrics,
  now = () => new Date(),
  everyMs = EVERY_MS,
}: HousekeepingOptions): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const { signal } = stopping;

  async function sweep(expired: Expired): Promise<void> {
    const { table } = expired;
    const at = now();
    try {
      const deleted = await deleteInSlices(pool, expired, { now: at, signal });
      metrics.expiredRows(table, 0);
      if (deleted > 0) log.info({ table, deleted }, 'deleted expired rows');
    } catch (err) {
      const left = await countExpired(pool, expired, at).catch(() => undefined);
      if (left !== undefined) metrics.expiredRows(table, left);
      log.warn({ err, table, left, everyMs }, 'could not delete expired rows; retrying in the next round');
    }
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      for (const expired of EXPIRED) if (!signal.aborted) await sweep(expired);
      await sleep(everyMs, signal, { ref: false });
    }
  }

  const ended = run();
  return {
    stop: () => {
      stopping.abort();
      return ended;
    },
  };
}
