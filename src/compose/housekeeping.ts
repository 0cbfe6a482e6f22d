import type { Logger } from 'pino';
import type pg from 'pg';
import type { Closers } from '../kit/closers.ts';
import { startHousekeeping } from '../adapters/postgres/housekeeping.ts';
import type { Metrics } from '../adapters/prometheus/metrics.ts';
import type { Leases } from '../adapters/postgres/leases.ts';
import { whileLeading } from './while-leading.ts';

/** Deletes rows that have expired, wherever this process leads. */
export function keepHouse(
  log: Logger,
  open: Closers,
  { leases, pool, metrics }: { leases: Leases; pool: pg.Pool; metrics: Metrics },
): void {
  const keeping = whileLeading(leases, 'housekeeping', () => startHousekeeping({ pool, log, metrics }));
  open.add('housekeeping', () => keeping.stop());
}
