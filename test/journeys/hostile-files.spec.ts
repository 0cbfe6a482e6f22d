import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { type Person, type TestApp, startApp } from '../support/stages/app.ts';
import { hostileFiles } from '../support/files/hostile-files.ts';
import { filesOf } from '../support/files/uploads.ts';

const MIB = 2 ** 20;

describe('uploads of one member', () => {
  let dataDir: string;
  let app: TestApp;
  let ada: Person;
  let eve: Person;
  let groupId: string;

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'chat-files-'));
    app = await startApp({ DATA_DIR: dataDir, UPLOAD_MIB_PER_USER_DAY: '250' });
    const acme = await app.register('company', 'Acme');
    [ada, eve] = await Promise.all([app.register('applicant', 'Ada'), app.register('applicant', 'Eve')]);
    const body = { title: 'Engineer', description: 'x' };
    const posted = await app.ask('POST', '/v1/jobs', { as: acme, body });
    groupId = posted.body['groupId'] as string;
    for (const as of [ada, eve])
      await app.ask('POST', '/apply', { as, body: { jobId: posted.body['jobId'] } });
  }, 60_000);

  afterAll(async () => {
    await app?.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  test('twenty hostile files of 4 MiB are all decided within their time limit, while a message is stored', async () => {
    const files = filesOf(app, eve);
    const twenty = hostileFiles.filter(({ title }) => !title.includes('bomb')).slice(0, 20);
    const ids: string[] = [];
    for (const { contentType, of } of twenty)
      ids.push(await files.upload({ groupId, name: 'cv', contentType, bytes: new Uint8Array(of(4 * MIB)) }));
    const body = { clientMsgId: randomUUID(), text: 'still here' };
    expect((await app.ask('POST', `/v1/groups/${groupId}/messages`, { as: ada, body })).status).toBe(201);
    const found: (string | undefined)[] = [];
    for (const id of ids) found.push((await files.settled(id, 120_000)).reason);
    expect(found).toHaveLength(20);
    expect(found).not.toContain('inspection-failed');
  }, 180_000);

  test('twelve concurrent files of 25 MiB exceed the daily quota', async () => {
    const body = { groupId, name: 'cv.pdf', contentType: 'application/pdf', size: 25 * MIB };
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => app.ask('POST', '/v1/files', { as: ada, body })),
    );
    const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b);
    expect(statuses).toEqual([...Array<number>(10).fill(201), 429, 429]);
  });
});
