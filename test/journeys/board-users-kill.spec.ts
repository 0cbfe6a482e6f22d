import { rm } from 'node:fs/promises';
import pg from 'pg';
import { type ServerProcess, startServer } from '../../tools/server-process.ts';
import { makeClient, tokenOf } from '../support/stages/service-clients.ts';
import { type TestDatabase, createTestDatabase } from '../support/stages/database.ts';
import { until } from '../../tools/until.ts';

const ROUNDS = 3;
const AT_ONCE = 8;
/** Answers of a round, after which the process is killed. */
const ANSWERS = 25;

describe('a server that is killed while a board brings its users', () => {
  let database: TestDatabase;
  let server: ServerProcess;

  beforeAll(async () => {
    database = await createTestDatabase();
  }, 60_000);
  afterAll(async () => {
    await server?.killTree();
    await rm(server.dataDir, { recursive: true, force: true });
    await database?.drop();
  });

  test('has each of them once, under the id that it has answered', async () => {
    const env = { DATABASE_URL: database.ownerUrl, CLIENT_REQUESTS_PER_MINUTE: '1000000' };
    server = await startServer({ env });
    const { dataDir } = server;
    const token = await tokenOf(server.url, await makeClient(database.ownerUrl));
    const answered = new Map<string, string>();
    const asked = new Set<string>();
    const put = async (externalId: string): Promise<string> => {
      const answer = await fetch(`${server.url}/v1/users/${externalId}`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ role: 'applicant', displayName: 'Ada', email: `${externalId}@example.org` }),
      });
      if (!answer.ok) throw new Error(await answer.text());
      return ((await answer.json()) as { userId: string }).userId;
    };

    for (let round = 0; round < ROUNDS; round += 1) {
      if (round > 0) server = await startServer({ env, dataDir });
      let isGone = false;
      const bring = async (lane: number) => {
        for (let n = 0; !isGone; n += 1) {
          const externalId = `${round}-${lane}-${n}`;
          asked.add(externalId);
          const userId = await put(externalId).catch(() => undefined);
          if (userId === undefined) return;
          answered.set(externalId, userId);
        }
      };
      const before = answered.size;
      const lanes = Array.from({ length: AT_ONCE }, (_, lane) => bring(lane));
      await until(() => answered.size >= before + ANSWERS, 'users to be brought');
      await server.killTree();
      isGone = true;
      await Promise.all(lanes);
    }

    server = await startServer({ env, dataDir });
    expect(asked.size).toBeGreaterThan(answered.size);
    for (const externalId of asked) {
      const userId = await put(externalId);
      expect(userId).toBe(answered.get(externalId) ?? userId);
    }
    const client = new pg.Client({ connectionString: database.ownerUrl });
    await client.connect();
    const { rows } = await client.query(
      `select (select count(*)::int from client_users) as users,
         (select count(*)::int from credentials where registered) as registered,
         (select count(*)::int from events where type = 'AccountRegistered') as recorded`,
    );
    await client.end();
    expect(rows).toStrictEqual([{ users: asked.size, registered: asked.size, recorded: asked.size }]);
  }, 180_000);
});
