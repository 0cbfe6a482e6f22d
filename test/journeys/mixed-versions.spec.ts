import { Listener } from '../../tools/listener.ts';
import { type TestDatabase, createTestDatabase } from '../support/stages/database.ts';
import { type Patch, makeNewerVersion } from '../support/journeys/newer-version.ts';
import { type Session, call, signUp } from '../../tools/rest.ts';
import { type ServerProcess, freePort, startServer } from '../../tools/server-process.ts';
import { until } from '../../tools/until.ts';

const START_MS = 120_000;

/** The next version pins a message on a 📌 reaction, and adds to a changed job whether it is remote. */
const next: Patch = {
  'src/events/conversation.ts': [
    'MessageDeleted: z.strictObject(subject),',
    'MessageDeleted: z.strictObject(subject), MessagePinned: z.strictObject({ ...subject, userId: UserId }),',
  ],
  'src/commands/message/react-to-message.ts': [
    'return [{ type, data: { ...react, userId } }];',
    `const { emoji, ...subject } = react;
      if (emoji === '📌') return [{ type: 'MessagePinned', data: { ...subject, userId } } as never];
      return [{ type, data: { ...react, userId } }];`,
  ],
  'src/events/job.ts': [
    `JobDetailsChanged: z.strictObject({`,
    `JobDetailsChanged: z.strictObject({ isRemote: z.boolean(),`,
  ],
  'src/events/stored-events.ts': [
    '((data: never) => unknown)[]>> = {',
    `((data: never) => unknown)[]>> = {
      JobDetailsChanged: [(data: object) => ({ ...data, isRemote: false })],`,
  ],
  'src/commands/job/change-job.ts': [
    'data: { jobId, ...changed }',
    'data: { jobId, ...changed, isRemote: true } as never',
  ],
};

describe('an older and a newer version on one log', () => {
  let database: TestDatabase;
  let version: Awaited<ReturnType<typeof makeNewerVersion>>;
  let older: ServerProcess;
  let newer: ServerProcess;
  let port: number;
  let company: Session;
  let applicant: Session;
  const clients: Listener[] = [];

  const start = (options: Parameters<typeof startServer>[0]) =>
    startServer({
      ...options,
      env: { DATABASE_URL: database.ownerUrl, HEADS_INTERVAL_MS: '500' },
      readyWithinMs: START_MS,
    });
  const at = (server: ServerProcess, session: Session) => ({ ...session, url: server.url });
  const connect = async (server: ServerProcess, session: Session) => {
    const client = await new Listener(at(server, session)).connect();
    clients.push(client);
    return client;
  };
  const ask = <T>(server: ServerProcess, method: string, path: string, as: Session, body?: object) =>
    call<T>(server.url, method, path, { token: as.accessToken, ...(body && { body }) });
  const postJob = (server: ServerProcess) =>
    ask<{ jobId: string; groupId: string }>(server, 'POST', '/v1/jobs', company, {
      title: 'Pilot',
      description: 'Flies what she built',
    });
  /** Reads the status of one dependency from readiness, which must answer 200. */
  async function statusOf(server: ServerProcess, part: string) {
    const answer = await fetch(`${server.url}/health/ready`);
    expect(answer.status).toBe(200);
    const { dependencies } = (await answer.json()) as { dependencies: Record<string, { status: string }> };
    return dependencies[part]?.status;
  }

  beforeAll(async () => {
    [database, version, port] = await Promise.all([createTestDatabase(), makeNewerVersion(next), freePort()]);
    older = await start({ port });
    newer = await start({ entry: version.entry });
    company = await signUp(older.url, { role: 'company', displayName: 'Harbour Robotics' });
    applicant = await signUp(newer.url, { role: 'applicant', displayName: 'Ada' });
  }, 2 * START_MS);

  afterAll(async () => {
    for (const client of clients) client.close();
    await Promise.all([older?.killTree(), newer?.killTree()]);
    await version?.remove();
    await database?.drop();
  });

  test('report that limits count per process when both serve clients without Redis', async () => {
    for (const server of [older, newer]) {
      await until(async () => (await statusOf(server, 'limits')) === 'degraded', 'each to see the other');
      expect(server.output()).toContain('REDIS_URL is not set');
    }
  });

  test(
    'work together: the older one reports what it does not know, and shows everything once upgraded',
    async () => {
      const { jobId, groupId } = await postJob(older);
      const quiet = await postJob(newer);
      for (const job of [jobId, quiet.jobId])
        await ask(newer, 'POST', `/v1/jobs/${job}/applications`, applicant, {});
      const here = await connect(older, company);
      const there = await connect(newer, applicant);
      const { messageId } = await there.send({ groupId, text: 'first' });
      await here.send({ groupId, text: 'second' });

      // A type that the older version does not know takes a seq in a conversation that both serve.
      const pin = `/v1/groups/${groupId}/messages/${messageId}/reactions/${encodeURIComponent('📌')}`;
      expect(await ask(newer, 'PUT', pin, applicant)).toMatchObject({ seq: 3 });
      expect((await here.send({ groupId, text: 'fourth' })).seq).toBe(4);
      expect((await there.send({ groupId, text: 'fifth' })).seq).toBe(5);
      for (const client of [here, there]) {
        await client.reached(groupId, 5);
        expect(client.view(groupId).map(({ seq, type }) => [seq, type])).toEqual([
          [1, 'MessageSent'],
          [2, 'MessageSent'],
          [3, 'MessagePinned'],
          [4, 'MessageSent'],
          [5, 'MessageSent'],
        ]);
        expect(client.view(groupId)[2]!.data).toEqual({ groupId, messageId, userId: applicant.userId });
      }
      await until(async () => (await statusOf(older, 'version')) === 'degraded', 'the report');
      expect(older.output()).toMatch(/"type":"MessagePinned","v":1,"position":\d+/);
      expect(await statusOf(newer, 'version')).toBe('ok');

      // A newer version of an event that jobs are folded from: the older server cannot decide about that job,
      // but does everything else.
      const change = (server: ServerProcess, title: string) =>
        ask(server, 'PATCH', `/v1/jobs/${jobId}`, company, { title });
      await change(newer, 'Test pilot');
      await expect(change(older, 'Pilot again')).rejects.toMatchObject({
        status: 503,
        code: 'UNAVAILABLE',
        retryable: true,
      });
      expect((await here.send({ groupId, text: 'sixth' })).seq).toBe(6);
      expect((await here.send({ groupId: quiet.groupId, text: 'hello' })).seq).toBe(1);
      expect((await postJob(older)).jobId).toEqual(expect.any(String));
      const isSaid = () => /"type":"JobDetailsChanged","v":2,"position":\d+/.test(older.output());
      await until(isSaid, 'the second report');
      expect(await statusOf(older, 'version')).toBe('degraded');

      // The upgrade.
      await older.stop();
      older = await start({ port, entry: version.entry });
      await change(older, 'Pilot again');
      await until(async () => {
        const { title } = await ask<{ title: string }>(older, 'GET', `/v1/jobs/${jobId}`, company);
        return title === 'Pilot again';
      }, 'the latest change of the job');
      expect(await statusOf(older, 'version')).toBe('ok');
      await here.send({ groupId, text: 'seventh' });
      for (const client of [here, there]) {
        await client.reached(groupId, 7);
        await client.reached(quiet.groupId, 1);
        expect(client.view(groupId).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7]);
      }
      const told = (client: Listener) => client.view(groupId).map(({ id }) => id);
      expect(told(here)).toEqual(told(there));
    },
    2 * START_MS,
  );
});
