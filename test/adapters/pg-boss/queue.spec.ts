import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { PgBoss } from 'pg-boss';
import type { Queue } from '../../../src/notifications/deliver/queue.ts';
import { createPgBossQueue } from '../../../src/adapters/pg-boss/queue.ts';
import { inEachLane, queueContract, recorder } from '../../notifications/queue-contract.ts';
import { ROLES, administer, createTestDatabase, type TestDatabase } from '../../support/stages/database.ts';
import { linesOf } from '../../support/log-lines.ts';
import { until } from '../../../tools/until.ts';

const { log } = linesOf('info');
const workerProcess = fileURLToPath(
  new URL('../../support/processes/pg-boss-worker-process.ts', import.meta.url),
);

let database: TestDatabase;
const opened: Queue[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
});
afterEach(async () => {
  for (const queue of opened.splice(0)) await queue.close();
});
afterAll(() => database.drop());

const createQueue = ({ url } = database) => createPgBossQueue({ url, log });
async function openQueue(of = database): Promise<Queue> {
  const queue = await createQueue(of);
  opened.push(queue);
  return queue;
}

/** Simulates the end of PostgreSQL: breaks every connection and prevents new ones. */
async function fail(): Promise<void> {
  const name = new URL(database.ownerUrl).pathname.slice(1);
  await administer(`alter database ${name} with allow_connections false`);
  await administer(`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`);
}

async function recover(): Promise<void> {
  await administer(
    `alter database ${new URL(database.ownerUrl).pathname.slice(1)} with allow_connections true`,
  );
}

describe('the queue in PostgreSQL', () => {
  queueContract(() => ({ createQueue: () => createQueue(), fail, recover }));

  test('redelivers the job of a killed worker within 30 s', async () => {
    const fresh = await createTestDatabase();
    const queue = await openQueue(fresh);
    const child = spawn(process.execPath, [workerProcess, fresh.url], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    try {
      let output = '';
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
      const batchId = randomUUID();
      await queue.publish(batchId, 'email');
      await until(() => output.includes(batchId), 'the delivery of the batch', 15_000);
      child.kill('SIGKILL');
      await exited;
      const worker = recorder();
      await queue.consume({ ...worker, concurrency: inEachLane(1) });
      await until(() => worker.handled.includes(batchId), 'the redelivery of the batch', 30_000);
    } finally {
      child.kill('SIGKILL');
      await exited;
    }
  }, 60_000);

  test('starts concurrently on several nodes in a new database', async () => {
    const fresh = await createTestDatabase();
    const nodes = await Promise.all(Array.from({ length: 3 }, () => openQueue(fresh)));
    const worker = recorder();
    for (const node of nodes) await node.consume({ ...worker, concurrency: inEachLane(2) });
    const batchIds = Array.from({ length: 30 }, () => randomUUID());
    await Promise.all(batchIds.map((batchId, index) => nodes[index % 3]!.publish(batchId, 'email')));
    await until(() => worker.handled.length >= 30);
    expect(worker.handled.toSorted()).toEqual(batchIds.toSorted());
  });

  test('handles jobs published before lanes existed', async () => {
    const queue = await openQueue();
    const batchId = randomUUID();
    const boss = new PgBoss({ connectionString: database.ownerUrl, schema: 'pgboss', supervise: false });
    await boss.start();
    await boss.send('notifications', { batchId });
    await boss.stop();
    const worker = recorder();
    const consumer = await queue.consume({ ...worker, concurrency: inEachLane(1) });
    await until(() => worker.handled.includes(batchId));
    await consumer.stop();
  });

  test('gives its tables to the role of the application', async () => {
    await openQueue();
    const client = new pg.Client({ connectionString: database.ownerUrl });
    await client.connect();
    const { rows } = await client.query(
      `select distinct tableowner from pg_tables where schemaname = 'pgboss'`,
    );
    await client.end();
    expect(rows).toEqual([{ tableowner: ROLES.app }]);
  });
});
