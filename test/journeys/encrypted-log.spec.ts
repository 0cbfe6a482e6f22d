import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import pg from 'pg';
import { ClientMsgId, GroupId, MessageId, UserId } from '../../src/events/ids.ts';
import { event } from '../support/language/example-events.ts';
import { type Person, type TestApp, startApp } from '../support/stages/app.ts';
import {
  TEMPLATE_WITH_READ_MODELS,
  type TestDatabase,
  createTestDatabase,
} from '../support/stages/database.ts';
import { withPostgresLog } from '../support/stages/open-logs.ts';

const run = promisify(execFile);
const CANARY = 'kanarienvogel';

let old: TestDatabase;
let renewed: TestDatabase;
beforeEach(async () => {
  old = await createTestDatabase(TEMPLATE_WITH_READ_MODELS);
  renewed = await createTestDatabase();
});
afterEach(async () => {
  await old.drop();
  await renewed.drop();
});

const encrypt = () =>
  run(process.execPath, ['scripts/log.ts', 'encrypt', '--from', old.ownerUrl, '--to', renewed.ownerUrl], {
    env: { PATH: process.env['PATH'] },
  });

async function query<T extends pg.QueryResultRow>(of: TestDatabase, text: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: of.ownerUrl });
  await client.connect();
  try {
    return (await client.query<T>(text)).rows;
  } finally {
    await client.end();
  }
}
const readers = (of: TestDatabase) =>
  query(
    of,
    `select name, position from checkpoints where name not in (select nspname from pg_namespace) order by name`,
  );
const plainEvents = (of: TestDatabase) => query(of, `select from events where data::text like '%${CANARY}%'`);

async function must(app: TestApp, method: string, path: string, as: Person, body?: unknown) {
  const answer = await app.ask(method, path, { as, body });
  if (answer.status > 299) throw new Error(`${method} ${path}: ${answer.text}`);
  return answer.body as Record<string, string>;
}

/** A server has worked on it, some of the time with an earlier version that stored text as it is. */
async function usedForYears() {
  const app = await startApp({ DATABASE_URL: old.ownerUrl });
  try {
    const acme = await app.register('company', 'Acme');
    const ada = await app.register('applicant', 'Ada');
    const { groupId, jobId } = await must(app, 'POST', '/v1/jobs', acme, {
      title: 'Engineer',
      description: 'Builds',
    });
    await must(app, 'POST', `/v1/jobs/${jobId}/applications`, ada, { coverLetter: 'I build engines' });
    await withPostgresLog(
      old.ownerUrl,
      (store) =>
        store.append({
          stream: `conversation-${groupId}`,
          expected: 'any',
          events: Array.from({ length: 20 }, (_, n) => ({
            id: randomUUID(),
            event: event('MessageSent', {
              groupId: GroupId.parse(groupId),
              messageId: MessageId.parse(randomUUID()),
              senderId: UserId.parse(ada.userId),
              clientMsgId: ClientMsgId.parse(randomUUID()),
              text: `${n} ${CANARY}`,
              fileIds: [],
              replyTo: null,
            }),
          })),
          occurredAt: new Date().toISOString(),
          metadata: { actorId: ada.userId, correlationId: randomUUID(), causationId: null },
        }),
      { isSealed: false },
    );
    await must(app, 'POST', `/v1/groups/${groupId}/messages`, acme, {
      clientMsgId: randomUUID(),
      text: 'Welcome',
    });
    return { app, acme, ada, groupId: groupId! };
  } catch (error) {
    await app.stop();
    throw error;
  }
}

test('A log with text as it was becomes a new database that has everything, and no text that can be read', async () => {
  const { app, acme, ada, groupId } = await usedForYears();
  await expect(encrypt()).rejects.toMatchObject({ stderr: expect.stringMatching('The database is in use') });
  await app.stop();
  expect(await plainEvents(old)).toHaveLength(20);

  const { stdout } = await encrypt();
  expect(stdout).toContain('no personal text can be read in the target\n');
  expect(stdout).toContain('credentials: 2 rows\n');
  // Once more, as after an interruption.
  expect((await encrypt()).stdout).toContain('copied 0 events');
  expect(await plainEvents(renewed)).toHaveLength(0);
  expect(await readers(renewed)).toEqual(await readers(old));

  const again = await startApp({ DATABASE_URL: renewed.ownerUrl });
  try {
    const back = await again.logIn(ada);
    const refreshed = await again.ask('POST', '/v1/auth/refresh', {
      body: { refreshToken: acme.refreshToken },
    });
    expect(refreshed.status).toBe(200);
    const history = await must(again, 'GET', `/v1/groups/${groupId}/messages?limit=100`, back);
    const texts = (history['data'] as unknown as { text: string }[]).map(({ text }) => text);
    expect(texts).toContain(`7 ${CANARY}`);
    expect(texts).toContain('Welcome');
    const sent = await must(again, 'POST', `/v1/groups/${groupId}/messages`, back, {
      ...{ clientMsgId: randomUUID(), text: 'Still here' },
    });
    expect(sent['messageId']).toBeDefined();
  } finally {
    await again.stop();
  }
}, 120_000);
