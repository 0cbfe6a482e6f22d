import { execFile } from 'node:child_process';
import { appendFile, chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import type { Logger } from 'pino';
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
} from '../../../src/adapters/embedded-postgres/embedded-postgres.ts';
import { until } from '../../../tools/until.ts';

export interface PostgresPair {
  primary: EmbeddedPostgres;
  standby: EmbeddedPostgres;
  /** Runs a statement as the superuser. */
  ask<Row extends pg.QueryResultRow>(server: EmbeddedPostgres, statement: string): Promise<Row[]>;
  /** Stops the primary and promotes the standby, which has all of its data. */
  failOver(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a primary and a standby that replicates it. Both have the same superuser and password. */
export async function startPostgresPair(log: Logger): Promise<PostgresPair> {
  const folder = await mkdtemp(join(tmpdir(), 'postgres-pair-'));
  // PostgreSQL does not run as root.
  await chmod(folder, 0o711);
  const start = (name: string) => startEmbeddedPostgres({ dataDir: join(folder, name), log });
  await (await start('primary')).stop();
  await promisify(execFile)('cp', ['-a', join(folder, 'primary'), join(folder, 'standby')]);
  const primary = await start('primary');
  const standbyData = join(folder, 'standby', 'postgres');
  await writeFile(join(standbyData, 'standby.signal'), '');
  await appendFile(join(standbyData, 'postgresql.auto.conf'), `primary_conninfo = '${primary.ownerUrl}'\n`);
  const standby = await start('standby');

  async function ask<Row extends pg.QueryResultRow>({ ownerUrl }: EmbeddedPostgres, statement: string) {
    const client = new pg.Client({ connectionString: ownerUrl });
    await client.connect();
    try {
      return (await client.query<Row>(statement)).rows;
    } finally {
      await client.end();
    }
  }
  // Otherwise the primary acknowledges what the standby lacks.
  await ask(primary, `alter system set synchronous_standby_names = '*'`);
  await ask(primary, 'select pg_reload_conf()');
  await until(
    async () =>
      (await ask(primary, `select from pg_stat_replication where sync_state = 'sync'`)).length === 1,
    'the standby replicates',
  );

  return {
    primary,
    standby,
    ask,
    async failOver() {
      await primary.stop();
      await ask(standby, 'select pg_promote()');
    },
    async stop() {
      await Promise.all([primary.stop(), standby.stop()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
