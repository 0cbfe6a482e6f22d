import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { getPostgreSQLEventStore } from '@event-driven-io/emmett-postgresql';
import pg from 'pg';
import { perSecond } from './bench.ts';

const run = promisify(execFile);

/** A text as long as the ones that the project's side sends. */
export const TEXT = 'The quick brown fox jumps over the lazy dog; a line as people write them in a chat, no longer.';

export interface EmmettPeer {
  /** Events per second with one event per append and `width` appends in flight. */
  measure: (width: number, milliseconds: number) => Promise<number>;
  close: () => Promise<void>;
}

/** Emmett's own event store in a database of its own, its pool as wide as what is in flight. */
export async function emmettPeer(databaseUrl: string, streams: number): Promise<EmmettPeer> {
  const pools = new Map<number, { pool: pg.Pool; store: ReturnType<typeof getPostgreSQLEventStore> }>();
  const storeFor = async (width: number) => {
    const known = pools.get(width);
    if (known) return known.store;
    const pool = new pg.Pool({ connectionString: databaseUrl, max: width });
    const store = getPostgreSQLEventStore(databaseUrl, { connectionOptions: { pool } });
    if (pools.size === 0) await store.schema.migrate();
    pools.set(width, { pool, store });
    return store;
  };
  const groups = Array.from({ length: streams }, () => randomUUID());
  return {
    measure: async (width, milliseconds) => {
      const store = await storeFor(width);
      let next = 0;
      return perSecond(width, milliseconds, () => {
        const groupId = groups[(next += 1) % streams] ?? '';
        return store.appendToStream(`conversation-${groupId}`, [messageSent(groupId)]);
      });
    },
    close: async () => {
      for (const { pool, store } of pools.values()) {
        await store.close();
        await pool.end();
      }
    },
  };
}

const messageSent = (groupId: string) => ({
  type: 'MessageSent' as const,
  data: {
    groupId,
    messageId: randomUUID(),
    senderId: randomUUID(),
    clientMsgId: randomUUID(),
    text: TEXT,
    fileIds: [] as string[],
    replyTo: null,
  },
});

const TABLE = `create table if not exists pgbench_events (
  position bigserial primary key, stream text not null, revision int not null,
  id uuid not null unique default gen_random_uuid(), data json not null)`;

const INSERT = `\\set n random(1, 1000)
insert into pgbench_events (stream, revision, data) values ('conversation-' || :n, :n,
'{"groupId":"0198c0de-0000-7000-8000-000000000000","messageId":"0198c0de-0000-7000-8000-000000000001","senderId":"0198c0de-0000-7000-8000-000000000002","clientMsgId":"0198c0de-0000-7000-8000-000000000003","text":"${TEXT}","fileIds":[],"replyTo":null}');
`;

/** Whether PostgreSQL's own load generator is installed. */
export const hasPgbench = () =>
  run('pgbench', ['--version']).then(
    () => true,
    () => false,
  );

/** Single-row inserts per second of a comparable row, by `pgbench` with 64 clients. */
export async function measurePgbench(databaseUrl: string, seconds: number): Promise<number> {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  await client.query(TABLE);
  await client.end();
  const folder = await mkdtemp(join(tmpdir(), 'pgbench-'));
  const script = join(folder, 'insert.sql');
  await writeFile(script, INSERT);
  const { stdout } = await run('pgbench', [
    ...['--no-vacuum', '--client=64', '--jobs=2', '--protocol=prepared'],
    ...[`--time=${seconds}`, `--file=${script}`, databaseUrl],
  ]);
  await rm(folder, { recursive: true });
  const tps = /^tps = ([\d.]+)/m.exec(stdout)?.[1];
  if (tps === undefined) throw new Error(`pgbench said:\n${stdout}`);
  return Number(tps);
}
