import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { getPostgreSQLEventStore } from '@event-driven-io/emmett-postgresql';
import pg from 'pg';
import { perSecond } from './bench.ts';
import { query } from './postgres.ts';

const run = promisify(execFile);

/** A text of the same length as the project's messages. */
export const TEXT =
  'The quick brown fox jumps over the lazy dog; a line as people write them in a chat, no longer.';

/**
 * Measures events per second of Emmett's own event store, one event per append, with `width` appends in
 * flight and a pool of that size. Closes the pool afterwards, since PostgreSQL accepts 100 connections.
 */
export async function measureEmmett(
  databaseUrl: string,
  { width, streams, milliseconds }: { width: number; streams: number; milliseconds: number },
): Promise<number> {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: width });
  const store = getPostgreSQLEventStore(databaseUrl, { connectionOptions: { pool } });
  await store.schema.migrate();
  const groups = Array.from({ length: streams }, () => randomUUID());
  let next = 0;
  const append = () => {
    const groupId = groups[(next += 1) % streams] ?? '';
    return store.appendToStream(`conversation-${groupId}`, [messageSent(groupId)]);
  };
  await perSecond(width, 500, append);
  const rate = await perSecond(width, milliseconds, append);
  await store.close();
  await pool.end();
  return rate;
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

const id = (last: number) => `0198c0de-0000-7000-8000-00000000000${last}`;
/** JSON with a space after each colon: pgbench would read ":null" as a variable. */
const ROW = JSON.stringify(
  {
    groupId: id(0),
    messageId: id(1),
    senderId: id(2),
    clientMsgId: id(3),
    text: TEXT,
    fileIds: [],
    replyTo: null,
  },
  null,
  1,
).replaceAll('\n', '');

const INSERT = `\\set n random(1, 1000)
insert into pgbench_events (stream, revision, data) values ('conversation-' || :n, :n, '${ROW}');
`;

/** Whether PostgreSQL's own load generator is installed. */
export const hasPgbench = () =>
  run('pgbench', ['--version']).then(
    () => true,
    () => false,
  );

/** Measures single-row inserts per second of a comparable row, by `pgbench` with 64 clients. */
export async function measurePgbench(databaseUrl: string, seconds: number): Promise<number> {
  await query(databaseUrl, TABLE);
  const folder = await mkdtemp(join(tmpdir(), 'pgbench-'));
  const script = join(folder, 'insert.sql');
  await writeFile(script, INSERT);
  const { stdout } = await run('pgbench', [
    ...['--no-vacuum', '--client=64', '--jobs=2', '--protocol=prepared'],
    ...[`--time=${seconds}`, `--file=${script}`, databaseUrl],
  ]);
  await rm(folder, { recursive: true });
  const tps = /^tps = ([\d.]+)/m.exec(stdout)?.[1];
  if (tps === undefined) throw new Error(`unexpected output of pgbench:\n${stdout}`);
  return Number(tps);
}
