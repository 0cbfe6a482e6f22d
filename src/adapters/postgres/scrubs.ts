import type pg from 'pg';
import type { Logger } from 'pino';
import type { EventStore } from '../../events/event-store.ts';
import { sleep } from '../../kit/back-off.ts';
import type { Scrubs } from '../../privacy/scrubber.ts';
import { Client, untilAborted } from './client.ts';
import { withSession } from './connection.ts';
import { scrubReadModels } from './read-models/scrub-read-models.ts';

/** The tables beside the log that have something about people, see migrations/0032-scrub.sql. */
const TABLES = [
  ...['credentials', 'client_users', 'sessions', 'second_factors', 'push_subscriptions', 'text_keys'],
  ...['idempotency_keys', 'account_letters', 'notification_batches', 'company_invitations'],
];
/** Rewriting this many bytes locks a table for a second or two. */
const MOST_BYTES = 512 * 1024 * 1024;
/** Time for those who still see deleted rows to end, such as a backup that is being made. */
const OTHERS_MS = 5_000;
const POLL_MS = 100;

/** Creates the scrubs of a PostgreSQL. */
export function createScrubs({
  pool,
  databaseUrl,
  store,
  log,
  mostBytes = MOST_BYTES,
}: {
  pool: pg.Pool;
  databaseUrl: string;
  store: EventStore;
  log: Logger;
  /** Larger tables are left to the operator, because their rewriting locks them. */
  mostBytes?: number;
}): Scrubs {
  async function scrubTables(client: pg.Client): Promise<void> {
    const left: string[] = [];
    const ask = async (call: string, ...values: unknown[]) =>
      (await client.query<{ ok: boolean }>(`select ${call} as ok`, values)).rows[0]!.ok;
    for (const table of TABLES) if (!(await ask('scrub_table($1, $2)', table, mostBytes))) left.push(table);
    if (!(await ask('scrub_statistics()'))) left.push('pg_statistic');
    if (!(await ask('leave_old_wal()'))) left.push('the write-ahead log');
    if (left.length > 0)
      log.warn(
        { left },
        'these keep erased rows until PostgreSQL reuses their room, or a superuser runs VACUUM FULL and CHECKPOINT',
      );
  }

  return {
    async wanted() {
      const { rows } = await pool.query<{ asked: number }>('select asked from scrubs where asked > done');
      return rows[0]?.asked;
    },
    async run(signal) {
      await scrubReadModels({ store, databaseUrl, signal });
      const client = new Client({
        connectionString: withSession(databaseUrl, { statementTimeoutMs: 0 }),
        application_name: 'scrub',
      });
      client.on('error', () => {});
      await untilAborted(client, signal, async () => {
        await client.connect();
        await unseen(client, signal);
        await scrubTables(client);
      });
    },
    async done(scrub) {
      await pool.query('update scrubs set done = greatest(done, $1)', [scrub]);
    },
  };
}

/** Resolves once no snapshot from before this call is in use. Rejects after 5 s. */
async function unseen(client: pg.Client, signal: AbortSignal): Promise<void> {
  const { rows } = await client.query<{ moment: string }>('select pg_current_xact_id()::text as moment');
  const isSeen = async () =>
    (await client.query<{ seen: boolean }>('select is_seen_from_before($1::xid8) as seen', [rows[0]!.moment]))
      .rows[0]!.seen;
  for (const deadline = Date.now() + OTHERS_MS; await isSeen(); await sleep(POLL_MS, signal))
    if (Date.now() > deadline)
      throw new Error('a transaction that began before the erasure still sees what was erased');
}
