import pg from 'pg';
import { type DatabasePool, sql } from 'slonik';
import { z } from 'zod';
import { toProblem } from '../../../src/protocol/problem.ts';
import { createQueryPool } from '../../../src/adapters/postgres/query-pool.ts';
import { type TestDatabase, createTestDatabase } from '../../support/stages/database.ts';
import { linesOf } from '../../support/log-lines.ts';
import { freePort } from '../../../tools/server-process.ts';
import { type TcpProxy, startTcpProxy } from '../../../tools/tcp-proxy.ts';

const One = z.object({ one: z.number() });

test('A pool for queries outlives a first connection that fails', async () => {
  const url = `postgres://chat:secret@127.0.0.1:${await freePort()}/chat`;
  const db = await createQueryPool({
    url,
    applicationName: 'under-test',
    log: linesOf('silent').log,
    max: 1,
  });
  // An error without a listener would end this process, as it would a server.
  await expect(db.one(sql.type(One)`select 1::int as one`)).rejects.toThrow(/ECONNREFUSED/);
  await db.end();
});

describe('the connections for queries', () => {
  let database: TestDatabase;
  let proxy: TcpProxy;
  let db: DatabasePool;
  let owner: pg.Client;
  const { log } = linesOf('silent');

  beforeAll(async () => {
    database = await createTestDatabase();
    const address = new URL(database.ownerUrl);
    proxy = await startTcpProxy({ to: Number(address.port) });
    address.port = String(proxy.port);
    db = await createQueryPool({ url: address.href, applicationName: 'under-test', log, max: 2 });
    owner = new pg.Client({ connectionString: database.ownerUrl });
    await owner.connect();
  });
  afterAll(async () => {
    proxy.heal();
    await db.end();
    await proxy.close();
    await owner.end();
    await database.drop();
  });

  const one = () => db.one(sql.type(One)`select 1::int as one`);
  const problemOf = (asked: Promise<unknown>) =>
    asked.then(
      () => undefined,
      (error: unknown) => toProblem(error),
    );

  test('have names that tell their purpose', async () => {
    await one();
    const { rowCount } = await owner.query(
      `select from pg_stat_activity where application_name = 'under-test'`,
    );
    expect(rowCount).toBe(1);
  });

  test('plan a statement once, whatever its values', async () => {
    const Plans = z.object({ once: z.number(), anew: z.number() });
    const plans = await db.connect(async (connection) => {
      for (const value of [1, 2, 3]) await connection.one(sql.type(One)`select ${value}::int as one`);
      return connection.one(sql.type(Plans)`
        select generic_plans as once, custom_plans as anew from pg_prepared_statements
        where statement like 'select $1::int as one%'`);
    });
    expect(plans).toEqual({ once: 3, anew: 0 });
  });

  test('answer 503 to all callers while the server hangs, and recover', async () => {
    proxy.blackHole();
    const problems = await Promise.all(Array.from({ length: 8 }, () => problemOf(one())));
    expect(problems.map((problem) => problem?.code)).toEqual(problems.map(() => 'UNAVAILABLE'));
    proxy.heal();
    await expect(one()).resolves.toEqual({ one: 1 });
    await expect(Promise.all(Array.from({ length: 8 }, one))).resolves.toHaveLength(8);
  });

  test('never return a late answer to another query', async () => {
    proxy.blackHole();
    const late = [db.one(sql.type(One)`select 7::int as one`), db.one(sql.type(One)`select 8::int as one`)];
    expect((await Promise.all(late.map(problemOf))).every((problem) => problem?.status === 503)).toBe(true);
    proxy.heal();
    await expect(Promise.all(Array.from({ length: 20 }, one))).resolves.toEqual(
      Array.from({ length: 20 }, () => ({ one: 1 })),
    );
  });

  test('do not wait forever for a lock', async () => {
    await owner.query('begin');
    await owner.query('lock table public.checkpoints in access exclusive mode');
    const held = () => db.any(sql.unsafe`select from public.checkpoints`);
    const problems = await Promise.all(Array.from({ length: 12 }, () => problemOf(held())));
    await owner.query('rollback');
    expect(problems.map((problem) => problem?.code)).toEqual(problems.map(() => 'UNAVAILABLE'));
    await expect(one()).resolves.toEqual({ one: 1 });
  });
});
