import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';
import { pino } from 'pino';
import {
  diffReadModels,
  rebuildReadModels,
} from '../../src/adapters/postgres/read-models/rebuild-projection.ts';
import { ClientMsgId, GroupId, MessageId, UserId } from '../../src/events/ids.ts';
import { readModels } from '../../src/projections/read-models.ts';
import { until } from '../../tools/until.ts';
import { event } from '../support/language/example-events.ts';
import { type LogServer, logKinds } from '../support/stages/log-servers.ts';
import { filesOf, put } from '../support/files/uploads.ts';
import { startS3Server } from '../support/servers/s3-server.ts';
import { type Person, type TestApp, startApp } from '../support/stages/app.ts';
import {
  TEMPLATE_WITH_READ_MODELS,
  administer,
  copyOf,
  createTestDatabase,
  databaseUrl,
} from '../support/stages/database.ts';

const run = promisify(execFile);

/** Words that nobody else uses. */
const CANARY = 'kanarienvogel';
const NAME = `Ada ${CANARY}`;

let log: LogServer;
let app: TestApp;
let owner: pg.Client;
let auditor: Person;

async function must(method: string, path: string, as: Person | undefined, body?: unknown) {
  const answer = await app.ask(method, path, { as, body });
  if (answer.status > 299) throw new Error(`${method} ${path}: ${answer.text}`);
  return answer.body as Record<string, string>;
}

interface Said {
  company: Person;
  ada: Person;
  groupId: string;
  messageId: string;
  fileId: string;
}

/** Ada applies at a company, writes, edits and sends a file. */
async function talk(): Promise<Said> {
  const company = await app.register('company', 'Acme');
  const ada = await app.register('applicant', NAME);
  const { jobId, groupId } = (await must('POST', '/v1/jobs', company, {
    title: 'Engineer',
    description: 'Builds engines',
  })) as { jobId: string; groupId: string };
  const application = await must('POST', `/v1/jobs/${jobId}/applications`, ada, {
    coverLetter: `I am a ${CANARY}`,
  });
  const bytes = new TextEncoder().encode(`The CV of a ${CANARY}`);
  const file = { groupId, name: `${CANARY}.txt`, contentType: 'text/plain', bytes };
  const { fileId, upload } = await filesOf(app, ada).request(file);
  await put(upload, bytes);
  await filesOf(app, ada).complete(fileId);
  await until(
    async () => (await app.ask('GET', `/v1/files/${fileId}`, { as: ada })).body['status'] === 'clean',
  );
  // Another one, which was never uploaded.
  await filesOf(app, ada).request({ ...file, name: `other ${CANARY}.txt` });
  const key = `${CANARY}-key`;
  const sent = await app.ask('POST', `/v1/groups/${groupId}/messages`, {
    as: ada,
    headers: { 'idempotency-key': key },
    body: { clientMsgId: randomUUID(), text: `Hello from a ${CANARY}`, fileIds: [fileId] },
  });
  const { messageId } = sent.body as { messageId: string };
  await must('PATCH', `/v1/groups/${groupId}/messages/${messageId}`, ada, { text: `Better: ${CANARY}!` });
  await must('POST', `/v1/groups/${groupId}/messages`, company, {
    clientMsgId: randomUUID(),
    text: 'Welcome',
  });
  await must('PATCH', `/v1/applications/${application['applicationId']}`, company, {
    status: 'interview',
    reason: `We like the ${CANARY}`,
  });
  const notes = `/v1/applications/${application['applicationId']}/notes`;
  const note = (text: string) => must('POST', notes, company, { clientMsgId: randomUUID(), text });
  await note(`A fine ${CANARY}`);
  await must('DELETE', `${notes}/${(await note(`No ${CANARY}`))['noteId']}`, company);
  return { company, ada, groupId, messageId, fileId };
}

/** Returns the rows of all tables that contain the word, as `table: row`. */
async function rowsWith(word: string): Promise<string[]> {
  const { rows: tables } = await owner.query<{ name: string }>(
    `select format('%I.%I', table_schema, table_name) as name from information_schema.tables
     where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')`,
  );
  const found: string[] = [];
  for (const { name } of tables) {
    const rows = await owner
      .query<{ row: string }>(`select t::text as row from ${name} t where t::text ilike '%' || $1 || '%'`, [
        word,
      ])
      .then(
        (answer) => answer.rows,
        (error: { code?: string }) => {
          // A scrub has removed this version of a read model meanwhile.
          if (error.code === '42P01' || error.code === '3F000') return [];
          throw error;
        },
      );
    found.push(...rows.map(({ row }) => `${name}: ${row}`));
  }
  return found;
}

/** Runs the program of auditors beside the server. */
const audit = (...args: string[]) =>
  run(process.execPath, ['--disable-warning=ExperimentalWarning', 'scripts/audit.ts', ...args], {
    env: { PATH: process.env['PATH'], ...app.settings },
  });

/** Resolves with the messages as an auditor sees them, with a grant for the group or without. */
async function pastOf(groupId: string, grantFor?: object): Promise<Record<string, unknown>[]> {
  const asked = { reason: 'A complaint', scope: grantFor, minutes: 5 };
  const grantId = grantFor && (await must('POST', '/v1/audit/access-grants', auditor, asked))['grantId'];
  const answer = await app.ask('GET', `/v1/audit/groups/${groupId}`, {
    as: auditor,
    headers: grantId === undefined ? {} : { 'x-access-grant': grantId },
  });
  return answer.body['messages'] as Record<string, unknown>[];
}
const history = async (as: Person, groupId: string) =>
  (await must('GET', `/v1/groups/${groupId}/messages`, as))['data'] as unknown as Record<string, unknown>[];
const erasure = async (erasureId: string, as = auditor) =>
  (await app.ask('GET', `/v1/privacy/erasures/${erasureId}`, { as })).body;
const isDone = async (erasureId: string) => (await erasure(erasureId))['state'] === 'done';

describe.each(logKinds)('with the log in $name', ({ open, isOwn }) => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'erasure-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  describe('one program', () => {
    beforeAll(async () => {
      log = await open();
      app = await startApp({
        ...log.env,
        DATA_DIR: folder,
        ERASURE_DELAY_HOURS: '72',
        RETENTION_MONTHS: '24',
      });
      owner = new pg.Client({ connectionString: app.databaseUrl });
      await owner.connect();
      auditor = await app.hireAuditor();
    }, 60_000);
    afterAll(async () => {
      await owner?.end();
      await app?.stop();
      await log?.close();
    });

    describe('erasing a person', () => {
      test('leaves nothing of the person in any table, and everything of the others', async () => {
        const { company, ada, groupId, messageId, fileId } = await talk();
        expect((await rowsWith(CANARY)).length).toBeGreaterThan(5);
        expect((await rowsWith(ada.email)).length).toBeGreaterThan(0);
        // The log has the text from the beginning only sealed.
        const stored = (await log.stored(app.databaseUrl)).join('\n');
        expect(stored).toContain(`"messageId":"${messageId}"`);
        expect(stored).toContain('"text":{"sealed":"');
        expect(stored).not.toContain(CANARY);

        const { erasureId } = await must('POST', '/v1/privacy/erasures', auditor, { userId: ada.userId });
        await until(() => isDone(erasureId!));

        expect(await rowsWith(CANARY)).toEqual([]);
        expect(await rowsWith(ada.email)).toEqual([]);
        const said = await history(company, groupId);
        expect(said).toMatchObject([
          { id: messageId, senderId: ada.userId, text: null, erasedAt: expect.any(String) },
          { text: 'Welcome', erasedAt: null },
        ]);
        const erased = { text: null, erasedAt: said[0]!['erasedAt'] };
        expect(await pastOf(groupId)).toMatchObject([
          { ...erased, files: [{ name: '[erased]' }] },
          { text: '[redacted]', erasedAt: null },
        ]);
        expect(await pastOf(groupId, { groupId })).toMatchObject([
          { ...erased, files: [{ name: '[erased]' }] },
          { text: 'Welcome', erasedAt: null },
        ]);
        const { stdout } = await audit('conversation', groupId);
        expect(stdout).toContain(`${ada.userId}  (erased ${erased.erasedAt as string})`);
        const before = await app.ask(
          'GET',
          `/v1/audit/groups/${groupId}?at=${said[1]!['occurredAt'] as string}`,
          {
            as: auditor,
          },
        );
        expect(before.body['messages']).toMatchObject([erased, { erasedAt: null }]);
        const members = (await must('GET', `/v1/groups/${groupId}/members`, company))[
          'data'
        ] as unknown as object[];
        expect(members).toContainEqual(
          expect.objectContaining({ userId: ada.userId, displayName: '[erased]' }),
        );
        const search = await must('GET', `/v1/search/messages?q=${CANARY}`, company);
        expect(search['data']).toEqual([]);
        const file = await app.ask('GET', `/v1/files/${fileId}`, { as: company });
        expect(file.body).toMatchObject({ name: '[erased]', status: 'rejected' });
        expect(file.body['url']).toBeUndefined();
        const { rows: files } = await owner.query('select status from files.files where uploader_id = $1', [
          ada.userId,
        ]);
        expect(files).toEqual([{ status: 'rejected' }, { status: 'rejected' }]);
      }, 60_000);

      test('ends the logins for good, and frees the address', async () => {
        const { ada } = await talk();
        const { erasureId } = await must('POST', '/v1/privacy/erasures', auditor, { userId: ada.userId });
        await until(() => isDone(erasureId!));
        const { email, password } = ada;
        expect((await app.ask('POST', '/v1/auth/login', { body: { email, password } })).status).toBe(401);
        await until(async () => (await app.ask('GET', '/v1/me', { as: ada })).status === 401);
        const again = { role: 'applicant', email, password, displayName: 'Ada' };
        expect((await app.ask('POST', '/v1/auth/register', { body: again })).status).toBe(201);
      }, 60_000);

      test('is written to a list outside of the database', async () => {
        const { ada } = await talk();
        const { erasureId } = await must('POST', '/v1/privacy/erasures', auditor, { userId: ada.userId });
        await until(() => isDone(erasureId!));
        const list = await readFile(join(folder, 'erased-people.ndjson'), 'utf8');
        expect(list).toContain(JSON.stringify({ userId: ada.userId, erasureId }));
      }, 60_000);

      test('is answered the same way again', async () => {
        const { ada } = await talk();
        const first = await must('POST', '/v1/privacy/erasures', auditor, { userId: ada.userId });
        await until(() => isDone(first['erasureId']!));
        const again = await app.ask('POST', '/v1/privacy/erasures', {
          as: auditor,
          body: { userId: ada.userId },
        });
        expect(again).toMatchObject({ status: 202, body: { erasureId: first['erasureId'] } });
        const late = await app.ask('DELETE', `/v1/privacy/erasures/${first['erasureId']}`, { as: auditor });
        expect(late).toMatchObject({ status: 409, body: { code: 'ERASURE_DONE' } });
      }, 60_000);

      test('waits while a hold is on one of the person’s groups', async () => {
        const { ada, groupId, company } = await talk();
        const { holdId } = await must('POST', '/v1/privacy/holds', auditor, {
          groupId,
          reason: 'Acme v. Ada',
        });
        const { erasureId } = await must('POST', '/v1/privacy/erasures', auditor, { userId: ada.userId });
        await until(async () => (await erasure(erasureId!))['state'] === 'suspended');
        // An erasure that nothing suspends overtakes it.
        const bob = await app.register('applicant', 'Bob');
        const other = await must('POST', '/v1/privacy/erasures', auditor, { userId: bob.userId });
        await until(() => isDone(other['erasureId']!));
        expect((await history(company, groupId))[0]).toMatchObject({
          text: `Better: ${CANARY}!`,
          erasedAt: null,
        });
        expect((await must('GET', '/v1/privacy/holds', auditor))['data']).toContainEqual(
          expect.objectContaining({ holdId, groupId, reason: 'Acme v. Ada', releasedAt: null }),
        );
        await must('DELETE', `/v1/privacy/holds/${holdId}`, auditor);
        await until(() => isDone(erasureId!));
        expect((await history(company, groupId))[0]).toMatchObject({ text: null });
      }, 60_000);
    });

    /** Ada says something in January 2020. */
    const saidLongAgo = ({ groupId, ada }: Said) =>
      log.beside(app.databaseUrl, (store) =>
        store.append({
          stream: `conversation-${groupId}`,
          expected: 'any',
          events: [
            {
              id: randomUUID(),
              event: event('MessageSent', {
                groupId: GroupId.parse(groupId),
                messageId: MessageId.parse(randomUUID()),
                senderId: UserId.parse(ada.userId),
                clientMsgId: ClientMsgId.parse(randomUUID()),
                text: `Long ago, ${CANARY}`,
                fileIds: [],
                replyTo: null,
              }),
            },
          ],
          occurredAt: '2020-01-15T12:00:00.000Z',
          metadata: { actorId: ada.userId, correlationId: randomUUID(), causationId: null },
        }),
      );
    const lastOf = async ({ company, groupId }: Said) => (await history(company, groupId)).at(-1)!;

    describe('the retention of a group', () => {
      test('erases what was said long ago and nothing else, and waits for holds', async () => {
        const [held, free] = [await talk(), await talk()];
        const { holdId } = await must('POST', '/v1/privacy/holds', auditor, {
          groupId: held.groupId,
          reason: 'Acme v. Ada',
        });
        for (const said of [held, free]) await saidLongAgo(said);
        await until(async () => (await lastOf(free))['erasedAt'] !== null);
        await until(async () => (await lastOf(free))['text'] === null);
        const { erasedAt } = await lastOf(free);
        expect((await pastOf(free.groupId, { groupId: free.groupId })).at(-1)).toMatchObject({
          ...{ text: null, erasedAt },
        });
        expect((await pastOf(held.groupId)).at(-1)).toMatchObject({ text: '[redacted]', erasedAt: null });
        expect((await history(free.company, free.groupId)).slice(0, -1)).toMatchObject([
          { text: `Better: ${CANARY}!`, erasedAt: null },
          { text: 'Welcome', erasedAt: null },
        ]);
        await until(async () => (await lastOf(held))['text'] === `Long ago, ${CANARY}`);
        await must('DELETE', `/v1/privacy/holds/${holdId}`, auditor);
        await until(async () => (await lastOf(held))['text'] === null);
        await until(async () => (await rowsWith('Long ago')).length === 0);
      }, 60_000);
    });

    if (isOwn)
      test('After an erasure and a retention, the log is what was sealed, and rebuilt read models are the live ones', async () => {
        const said = await talk();
        await saidLongAgo(said);
        await audit('seal');
        await until(async () => (await lastOf(said))['erasedAt'] !== null, 'the month to expire');
        const { erasureId } = await must('POST', '/v1/privacy/erasures', auditor, {
          userId: said.ada.userId,
        });
        await until(() => isDone(erasureId!));
        expect((await audit('verify')).stdout).toMatch(/^[\d,]+ events and \d+ checkpoints hold\n/);
        await audit('seal');
        expect((await audit('verify')).stdout).toMatch(/ hold\n/);

        const before = await history(said.company, said.groupId);
        const silent = pino({ level: 'silent' });
        const [differences, rebuilt] = await log.beside(app.databaseUrl, async (store) => {
          const options = { store, databaseUrl: app.databaseUrl, log: silent };
          return [await diffReadModels({ ...options, mostRows: 3 }), await rebuildReadModels(options)];
        });
        expect(differences.flatMap((each) => each.differences)).toEqual([]);
        const verified = readModels.map(({ name }) => ({ name, isVerified: true }));
        expect(differences).toMatchObject(verified);
        expect(rebuilt).toMatchObject(verified);
        expect(await history(said.company, said.groupId)).toEqual(before);
        expect((await audit('verify')).stdout).toMatch(/ hold\n/);
      }, 60_000);

    describe('asking to be erased', () => {
      test('needs the password, ends every session, and can be taken back', async () => {
        const { ada } = await talk();
        const wrong = await app.ask('DELETE', '/v1/me', { as: ada, body: { password: 'not the password' } });
        expect(wrong).toMatchObject({ status: 403, body: { code: 'BAD_CREDENTIALS' } });
        const asked = await app.ask('DELETE', '/v1/me', { as: ada, body: { password: ada.password } });
        expect(asked.status).toBe(202);
        const { erasureId, dueAt } = asked.body as Record<string, string>;
        expect(Date.parse(dueAt!) - Date.now()).toBeGreaterThan(71 * 3_600_000);
        await until(async () => (await app.ask('GET', '/v1/me', { as: ada })).status === 401);

        const back = await app.logIn(ada);
        expect((await must('GET', '/v1/me', back))['erasure']).toEqual({ erasureId, dueAt });
        await until(async () => (await erasure(erasureId!, back))['state'] === 'scheduled');
        expect((await erasure(erasureId!, await app.register('applicant')))['code']).toBe(
          'ERASURE_NOT_FOUND',
        );
        await must('DELETE', `/v1/privacy/erasures/${erasureId}`, back);
        expect((await must('GET', '/v1/me', back))['erasure']).toBeNull();
        expect(await erasure(erasureId!, back)).toMatchObject({ code: 'ERASURE_NOT_FOUND' });
      }, 60_000);
    });

    describe('an export', () => {
      const lines = (text: string) =>
        text
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => JSON.parse(line) as Record<string, unknown>);

      test('has all that is stored about the caller, with its numbers first', async () => {
        const { ada, groupId, messageId, fileId } = await talk();
        const answer = await app.ask('GET', '/v1/privacy/export', { as: ada });
        expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/x-ndjson']);
        const all = lines(answer.text);
        expect(all[0]).toMatchObject({ kind: 'summary', applications: 1, groups: 1, messages: 1, files: 2 });
        expect(all).toEqual(
          expect.arrayContaining([
            expect.objectContaining({ kind: 'account', displayName: NAME, email: ada.email }),
            expect.objectContaining({ kind: 'application', coverLetter: `I am a ${CANARY}` }),
            expect.objectContaining({ kind: 'membership', groupId }),
            expect.objectContaining({ kind: 'message', messageId, text: `Better: ${CANARY}!` }),
            expect.objectContaining({ kind: 'file', fileId, name: `${CANARY}.txt` }),
            expect.objectContaining({ kind: 'session' }),
          ]),
        );
        for (const text of ['Welcome', 'A fine']) expect(answer.text).not.toContain(text);
      }, 60_000);

      test('shows an auditor personal text only with a grant for that person', async () => {
        const { ada, groupId } = await talk();
        const asked = { as: auditor, body: { userId: ada.userId } };
        const without = await app.ask('POST', '/v1/privacy/exports', asked);
        expect(without.status).toBe(200);
        expect(without.text).not.toContain(CANARY);
        expect(without.text).not.toContain(ada.email);
        const grantFor = async (scope: object) =>
          (
            await must('POST', '/v1/audit/access-grants', auditor, {
              reason: 'Asked by Ada',
              scope,
              minutes: 5,
            })
          )['grantId']!;
        const other = { 'x-access-grant': await grantFor({ groupId }) };
        expect(
          (await app.ask('POST', '/v1/privacy/exports', { ...asked, headers: other })).text,
        ).not.toContain(CANARY);
        const grant = { 'x-access-grant': await grantFor({ userId: ada.userId }) };
        expect((await app.ask('POST', '/v1/privacy/exports', { ...asked, headers: grant })).text).toContain(
          CANARY,
        );
      }, 60_000);
    });
  });

  test.each(['a file', 'S3'])(
    'A restored backup does not bring back a person in a list in %s',
    async (where) => {
      const database = await createTestDatabase(TEMPLATE_WITH_READ_MODELS);
      const backup = `${new URL(database.ownerUrl).pathname.slice(1)}_backup`;
      const file = join(folder, 'restored.ndjson');
      const s3 = await startS3Server({ bucket: 'kept' });
      process.env['AWS_ACCESS_KEY_ID'] = s3.credentials.accessKeyId;
      process.env['AWS_SECRET_ACCESS_KEY'] = s3.credentials.secretAccessKey;
      const inS3 = { ERASED_PEOPLE_URL: 's3://kept/erased', S3_ENDPOINT: s3.endpoint };
      const inFile = { ERASED_PEOPLE_URL: pathToFileURL(file).href };
      // Each node has a folder of its own.
      const settings = () => ({
        ...log.env,
        ...(where === 'S3' ? inS3 : inFile),
        DATA_DIR: join(folder, randomUUID()),
      });
      const listed = async () =>
        where === 'S3' ? [...s3.objects().keys()].join() : readFile(file, 'utf8').catch(() => '');
      log = await open();
      try {
        app = await startApp({ ...settings(), DATABASE_URL: database.ownerUrl });
        const { ada, company, groupId } = await talk();
        await app.stop();
        await administer(...copyOf(new URL(database.ownerUrl).pathname.slice(1), backup));

        app = await startApp({ ...settings(), DATABASE_URL: database.ownerUrl, ERASURE_DELAY_HOURS: '0' });
        const { erasureId } = await must('DELETE', '/v1/me', await app.logIn(ada), {
          password: ada.password,
        });
        const { password, email } = ada;
        await until(
          async () => (await app.ask('POST', '/v1/auth/login', { body: { email, password } })).status === 401,
        );
        await until(async () => (await listed()).includes(erasureId!));
        await app.stop();

        app = await startApp({ ...settings(), DATABASE_URL: databaseUrl(backup) });
        // From the first answer on.
        expect((await app.ask('POST', '/v1/auth/login', { body: { email, password } })).status).toBe(401);
        const said = await history(await app.logIn(company), groupId);
        expect(said).toMatchObject([
          { text: null, erasedAt: expect.any(String) },
          { text: 'Welcome', erasedAt: null },
        ]);
        owner = new pg.Client({ connectionString: databaseUrl(backup) });
        await owner.connect();
        await until(async () => (await rowsWith(CANARY)).length === 0);
        await owner.end();
      } finally {
        await app.stop();
        await log.close();
        await administer(`drop database if exists ${backup} with (force)`);
        await database.drop();
        delete process.env['AWS_ACCESS_KEY_ID'];
        delete process.env['AWS_SECRET_ACCESS_KEY'];
        await s3.stop();
      }
    },
    120_000,
  );
});
