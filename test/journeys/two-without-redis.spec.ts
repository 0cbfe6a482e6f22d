import pg from 'pg';
import { Listener } from '../../tools/listener.ts';
import { call, signUp } from '../../tools/rest.ts';
import { type ServerProcess, startServer } from '../../tools/server-process.ts';
import { until } from '../../tools/until.ts';
import { startMailServer } from '../support/servers/mail-server.ts';
import { type TestDatabase, createTestDatabase } from '../support/stages/database.ts';

const START_MS = 120_000;
/** Longer than the notifier waits before it decides about a message. */
const DECIDED_MS = 60_000;

describe('two whole processes on one database without Redis', () => {
  let database: TestDatabase;
  let mail: Awaited<ReturnType<typeof startMailServer>>;
  let first: ServerProcess;
  let second: ServerProcess;

  beforeAll(async () => {
    [database, mail] = await Promise.all([createTestDatabase(), startMailServer()]);
    const env = {
      DATABASE_URL: database.ownerUrl,
      SMTP_URL: mail.url,
      MAIL_FROM: 'Jobs <jobs@example.org>',
    };
    first = await startServer({ env, readyWithinMs: START_MS });
    second = await startServer({ env, readyWithinMs: START_MS });
  }, 2 * START_MS);
  afterAll(async () => {
    await Promise.all([first?.killTree(), second?.killTree()]);
    await mail?.close();
    await database?.drop();
  });

  async function owner<Row extends pg.QueryResultRow>(statement: string): Promise<Row[]> {
    const client = new pg.Client({ connectionString: database.ownerUrl });
    await client.connect();
    const { rows } = await client.query<Row>(statement);
    await client.end();
    return rows;
  }
  const partsOf = async ({ url }: ServerProcess) => {
    const answer = await fetch(`${url}/health/ready`);
    const { dependencies } = (await answer.json()) as {
      dependencies: Record<string, { status: string }>;
    };
    return dependencies;
  };

  test(
    'tell of each other, and mail nobody who may be reading at the other one',
    async () => {
      const company = await signUp(first.url, { role: 'company', displayName: 'Acme' });
      const email = 'ada@example.org';
      const ada = await signUp(second.url, { role: 'applicant', displayName: 'Ada', email });
      const { jobId, groupId } = await call<{ jobId: string; groupId: string }>(
        first.url,
        'POST',
        '/v1/jobs',
        {
          token: company.accessToken,
          body: { title: 'Engineer', description: 'Builds' },
        },
      );
      await call(second.url, 'POST', `/v1/jobs/${jobId}/applications`, { token: ada.accessToken, body: {} });
      await owner(`update credentials set email_verified_at = now() where email = '${email}'`);
      const reading = await new Listener(ada).connect();
      const writing = await new Listener(company).connect();
      const { seq } = await writing.send({ groupId, text: 'on the screen already' });
      await reading.reached(groupId, seq);

      for (const server of [first, second])
        expect((await partsOf(server))['limits']).toEqual({ status: 'degraded' });
      const isTold = () => [first, second].some((server) => server.output().includes('notifications wait'));
      await until(isTold, 'the notifier to wait', DECIDED_MS);
      const subjects = () =>
        mail.mails.filter(({ to }) => to.includes(email)).map((each) => each.mail.subject);
      expect(subjects().filter((subject) => subject?.includes('Engineer'))).toEqual([]);

      // What was read in the meantime is told by the database.
      await reading.ask('markRead', { groupId, seq });
      reading.close();
      await second.stop();
      const outcomes = () =>
        owner<{ outcome: string }>(`select outcome from notifications where kind = 'message'`);
      await until(async () => (await outcomes()).length === 1, 'the decision', DECIDED_MS);
      await until(async () => (await outcomes())[0]!.outcome !== null, 'its outcome', DECIDED_MS);
      expect(await outcomes()).toEqual([{ outcome: 'read' }]);
      expect(subjects().filter((subject) => subject?.includes('Engineer'))).toEqual([]);
      await until(async () => (await partsOf(first))['limits']?.status === 'ok', 'the first to be alone');
      writing.close();
    },
    2 * DECIDED_MS,
  );
});
