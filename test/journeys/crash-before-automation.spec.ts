import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { pino } from 'pino';
import { NO_STREAM } from '../../src/events/event-store.ts';
import { GroupId, JobId, UserId } from '../../src/events/ids.ts';
import { jobStream } from '../../src/events/streams.ts';
import { startEmbeddedPostgres } from '../../src/adapters/embedded-postgres/embedded-postgres.ts';
import { newId } from '../../src/kit/uuids.ts';
import { createPool } from '../../src/adapters/postgres/connection.ts';
import { openTextSeal } from '../../src/compose/text-seal.ts';
import { prepareDatabase } from '../../src/adapters/postgres/prepare-database.ts';
import { createPostgresEventStore } from '../../src/adapters/postgres/event-log/event-store.ts';
import { type Session, call, signUp } from '../../tools/rest.ts';
import { until } from '../../tools/until.ts';
import { type ServerProcess, freePort, startServer } from '../../tools/server-process.ts';

const ROUNDS = 3;
const env = { LOGINS_PER_MINUTE: '1000' };

interface Job {
  jobId: string;
  groupId: string;
  title: string;
}

interface Group {
  groupId: string;
  myRole: string;
  memberCount: number;
}

/** Reads every page of a list. */
async function all<T>({ url, accessToken: token }: Session, path: string): Promise<T[]> {
  const items: T[] = [];
  let cursor = '';
  do {
    const page = await call<{ data: T[]; nextCursor: string | null }>(
      url,
      'GET',
      `${path}?limit=100${cursor && `&cursor=${encodeURIComponent(cursor)}`}`,
      { token },
    );
    items.push(...page.data);
    cursor = page.nextCursor ?? '';
  } while (cursor);
  return items;
}

describe('a crash between an event and its automation', () => {
  let server: ServerProcess;

  afterAll(async () => {
    await server.killTree();
    await rm(server.dataDir, { recursive: true, force: true });
  });

  test('leaves every posted job with exactly one group, and no duplicate job', async () => {
    const port = await freePort();
    server = await startServer({ port, env });
    const { url, dataDir } = server;
    const company = await signUp(url, { role: 'company', displayName: 'Company' });
    const post = (title: string) =>
      call<Job>(url, 'POST', '/v1/jobs', {
        token: company.accessToken,
        body: { title, description: 'Posted into a crash' },
      });
    const answered: Job[] = [];
    let cutOff = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const posts = Promise.allSettled(
        Array.from({ length: 20 }, (_, index) => post(`Job ${round}.${index}`)),
      );
      await pause(5 + Math.random() * 60);
      await server.killTree();
      for (const outcome of await posts)
        if (outcome.status === 'fulfilled') answered.push(outcome.value);
        else cutOff += 1;
      server = await startServer({ port, dataDir, env });
      await until(async () => {
        const jobs = await all<Job>(company, '/v1/jobs');
        const groups = new Set((await all<Group>(company, '/v1/groups')).map(({ groupId }) => groupId));
        return jobs.every(({ groupId }) => groups.has(groupId));
      }, 'each job that was stored has its group');
    }
    const jobs = await all<Job>(company, '/v1/jobs');
    const groups = await all<Group>(company, '/v1/groups');
    expect(cutOff).toBeGreaterThan(0);
    expect(new Set(jobs.map(({ title }) => title)).size).toBe(jobs.length);
    expect(jobs.map(({ jobId }) => jobId)).toEqual(
      expect.arrayContaining(answered.map(({ jobId }) => jobId)),
    );
    expect(groups.map(({ groupId }) => groupId).sort()).toEqual(jobs.map(({ groupId }) => groupId).sort());
    expect(groups.every(({ myRole, memberCount }) => myRole === 'admin' && memberCount === 1)).toBe(true);
  }, 60_000);

  test('creates the group of a job whose event was just stored, once', async () => {
    const { url, dataDir } = server;
    const port = Number(new URL(url).port);
    const company = await signUp(url, { role: 'company', displayName: 'Company' });
    await server.killTree();
    const groupId = await storeJobPosted(dataDir, company.userId);
    for (let start = 1; start <= 2; start += 1) {
      server = await startServer({ port, dataDir, env });
      await until(async () => (await all<Group>(company, '/v1/groups')).length > 0, 'the group exists');
      expect(await all<Group>(company, '/v1/groups')).toMatchObject([
        { groupId, myRole: 'admin', memberCount: 1 },
      ]);
      if (start === 1) await server.killTree();
    }
  }, 60_000);
});

/** Stores the cause as the server does, but none of its consequences. Returns the group's id. */
async function storeJobPosted(dataDir: string, companyId: string): Promise<string> {
  const log = pino({ level: 'silent' });
  const postgres = await startEmbeddedPostgres({ dataDir, log });
  const url = await prepareDatabase(postgres.ownerUrl);
  const pool = createPool({ url, max: 1, applicationName: 'test', log });
  const settings = { masterKeys: [], databaseUrl: undefined, dataDir };
  const { textSeal } = await openTextSeal(settings, log, pool);
  const store = createPostgresEventStore({ pool, url, log, textSeal });
  await store.start();
  const data = {
    jobId: JobId.parse(newId()),
    groupId: GroupId.parse(newId()),
    companyId: UserId.parse(companyId),
    title: 'Left alone',
    description: 'The process died right after this was stored',
    location: null,
  };
  const verdict = await store.append({
    stream: jobStream(data.jobId),
    events: [{ id: newId(), event: { type: 'JobPosted', data } }],
    expected: NO_STREAM,
    occurredAt: new Date().toISOString(),
    metadata: { actorId: companyId, correlationId: randomUUID(), causationId: null },
  });
  await store.close();
  await pool.end();
  await postgres.stop();
  expect(verdict.outcome).toBe('appended');
  return data.groupId;
}
