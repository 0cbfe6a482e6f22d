import { createHash, randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { type Person, type TestApp, startApp } from '../support/stages/app.ts';
import { Listener } from '../../tools/listener.ts';
import { joinCompany } from '../support/stages/board.ts';
import { startClamd } from '../support/servers/clamd.ts';
import { eicar } from '../support/files/corpus.ts';
import { type Lacks, startS3Server } from '../support/servers/s3-server.ts';
import { type FileView, filesOf, put } from '../support/files/uploads.ts';
import { until } from '../../tools/until.ts';

interface Store {
  env: Record<string, string>;
  /** The status of a second upload to the same URL. */
  again: number;
  /** The status of one after the scan. */
  afterScan: number;
  /** The keys of all stored objects. */
  keys: () => Promise<string[]>;
  close: () => Promise<void>;
}

const openStores: Record<string, () => Promise<Store>> = {
  'the data folder': async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'chat-files-'));
    const keys = async () => {
      const entries = await readdir(join(dataDir, 'files'), { recursive: true, withFileTypes: true });
      return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
    };
    return {
      env: { DATA_DIR: dataDir },
      again: 412,
      afterScan: 412,
      keys,
      close: () => rm(dataDir, { recursive: true }),
    };
  },
  S3: () => openS3({}, 412),
  'S3 as Swift sells it': () => openS3({ 'if-none-match': 501, 'x-amz-checksum-sha256': 'ignored' }, 200),
};

async function openS3(lacks: Lacks, again: number): Promise<Store> {
  const s3 = await startS3Server({ bucket: 'job-chats', lacks });
  process.env['AWS_ACCESS_KEY_ID'] = s3.credentials.accessKeyId;
  process.env['AWS_SECRET_ACCESS_KEY'] = s3.credentials.secretAccessKey;
  return {
    again,
    // The store takes the bytes itself; nobody reads them.
    afterScan: 200,
    env: { S3_BUCKET: 'job-chats', S3_ENDPOINT: s3.endpoint },
    keys: async () => [...s3.objects().keys()],
    close: async () => {
      delete process.env['AWS_ACCESS_KEY_ID'];
      delete process.env['AWS_SECRET_ACCESS_KEY'];
      await s3.stop();
    },
  };
}

const png = async () =>
  new Uint8Array(
    await sharp({ create: { width: 900, height: 600, channels: 3, background: 'teal' } })
      .png()
      .toBuffer(),
  );
const bytesOf = (text: string) => new TextEncoder().encode(text);

/** One ordered story for each store, with a real ClamAV: each test continues where the previous one ended. */
describe.each(Object.entries(openStores))('files in %s', (_name, openStore) => {
  let store: Store;
  let clamd: Awaited<ReturnType<typeof startClamd>>;
  let app: TestApp;
  let acme: Person;
  let ada: Person;
  let eve: Person;
  let groupId: string;
  let picture: string;
  let client: Listener;
  let other: Listener;
  const heard: { fileId: string; status: string }[] = [];
  /** What the other member hears. */
  const told: typeof heard = [];

  const send = (as: Person, body: object) =>
    app.ask('POST', `/v1/groups/${groupId}/messages`, { as, body: { clientMsgId: randomUUID(), ...body } });
  const statusesOf = (fileId: string) =>
    heard.filter((each) => each.fileId === fileId).map(({ status }) => status);

  beforeAll(async () => {
    store = await openStore();
    clamd = await startClamd();
    app = await startApp({ ...store.env, CLAMD_URL: clamd.url });
    [acme, ada, eve] = await Promise.all([
      app.register('company', 'Acme'),
      app.register('applicant', 'Ada'),
      app.register('applicant', 'Eve'),
    ]);
    const posted = await app.ask('POST', '/v1/jobs', {
      as: acme,
      body: { title: 'Engineer', description: 'x' },
    });
    groupId = posted.body['groupId'] as string;
    await app.ask('POST', '/apply', { as: ada, body: { jobId: posted.body['jobId'] } });
    client = await new Listener({ ...ada, url: app.url }).connect();
    client.chat.on('fileStatusChanged', (change: { fileId: string; status: string }) => heard.push(change));
    other = await new Listener({ ...acme, url: app.url }).connect();
    other.chat.on('fileStatusChanged', (change: { fileId: string; status: string }) => told.push(change));
  }, 60_000);

  afterAll(async () => {
    client?.close();
    other?.close();
    await app?.stop();
    await clamd?.stop();
    await store?.close();
  });

  test('can be attached to a message before the scan, and are clean soon afterwards', async () => {
    const bytes = await png();
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const files = filesOf(app, ada);
    const asked = await files.request({ groupId, name: 'me.png', contentType: 'image/png', bytes, sha256 });
    expect(asked).toMatchObject({ status: 'pending', upload: { method: 'PUT' } });
    picture = asked.fileId;
    expect((await app.ask('POST', `/v1/files/${picture}/complete`, { as: ada })).body['code']).toBe(
      'FILE_NOT_UPLOADED',
    );
    expect((await send(ada, { fileIds: [picture] })).status).toBe(201);
    expect((await put(asked.upload, bytes)).status).toBe(200);
    expect((await put(asked.upload, bytes)).status).toBe(store.again);
    expect(await files.complete(picture)).toMatchObject({ status: 'scanning' });
    expect(await files.settled(picture)).toMatchObject({
      status: 'clean',
      name: 'me.png',
      size: bytes.length,
    });
    await until(() => statusesOf(picture).length === 2, 'both status changes');
    expect(statusesOf(picture)).toEqual(['scanning', 'clean']);
    await until(
      () => told.some((each) => each.fileId === picture && each.status === 'clean'),
      'the other member',
    );
    const { body } = await app.ask('GET', `/v1/groups/${groupId}/messages`, { as: acme });
    expect((body['data'] as { files: unknown[] }[])[0]!.files).toEqual([
      {
        fileId: picture,
        name: 'me.png',
        contentType: 'image/png',
        size: bytes.length,
        status: 'clean',
        hasThumbnail: true,
        thumbnailUrl: expect.stringContaining(`/v1/storage/${picture}?token=`),
      },
    ]);
    await until(
      async () => (await store.keys()).every((key) => !/quarantine|incoming|probe/.test(key)),
      'quarantine to be empty',
    );
    expect((await put(asked.upload, bytes)).status).toBe(store.afterScan);
  });

  test('are downloaded by members as attachments, with a thumbnail, and do not exist for strangers', async () => {
    const { url, thumbnail } = await filesOf(app, acme).read(picture);
    const answer = await fetch(url!);
    expect(answer.status).toBe(200);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-disposition': 'attachment; filename=me.png',
      'content-type': 'image/png',
      'x-content-type-options': 'nosniff',
    });
    expect(new Uint8Array(await answer.arrayBuffer())).toEqual(await png());
    const part = await fetch(url!, { headers: { range: 'bytes=10-19' } });
    expect([part.status, part.headers.get('content-range')]).toEqual([
      206,
      `bytes 10-19/${(await png()).length}`,
    ]);
    expect(new Uint8Array(await part.arrayBuffer())).toEqual((await png()).slice(10, 20));
    const small = await sharp(await (await fetch(thumbnail!.url)).arrayBuffer()).metadata();
    expect(small).toMatchObject({ format: 'webp', width: 320 });
    const strangers = await app.ask('GET', `/v1/files/${picture}`, { as: eve });
    const nothing = await app.ask('GET', `/v1/files/${randomUUID()}`, { as: eve });
    expect([strangers.status, strangers.body['code']]).toEqual([nothing.status, nothing.body['code']]);
  });

  test('have links that work for one person, until the membership ends', async () => {
    const { url } = await filesOf(app, acme).read(picture);
    const admin = await app.register('company', 'Colleague');
    await joinCompany(app, admin, { of: acme, role: 'interviewer' });
    await app.ask('POST', `/v1/groups/${groupId}/members`, { as: acme, body: { userId: admin.userId } });
    const theirs = (await filesOf(app, admin).read(picture)).url!;
    expect((await fetch(theirs)).status).toBe(200);
    await app.ask('DELETE', `/v1/groups/${groupId}/members/${admin.userId}`, { as: acme });
    expect((await fetch(theirs)).status).toBe(404);
    const tampered = url!.slice(0, -2) + (url!.endsWith('AA') ? 'BB' : 'AA');
    expect((await fetch(tampered)).status).toBe(403);
    expect((await fetch(url!.replace(picture, randomUUID()))).status).toBe(403);
  });

  test('are deleted and reported when infected, while their message stays', async () => {
    const files = filesOf(app, ada);
    const before = (await store.keys()).length;
    const virus = await files.upload({ groupId, name: 'cv.txt', contentType: 'text/plain', bytes: eicar() });
    await send(ada, { text: 'My CV', fileIds: [virus] });
    const found = await files.settled(virus);
    expect(found).toMatchObject({ status: 'infected', reason: 'infected' });
    expect(found.url).toBeUndefined();
    await until(() => statusesOf(virus).includes('infected'), 'the uploader to be informed');
    await until(async () => (await store.keys()).length === before, 'the bytes to be deleted');
    expect((await send(ada, { fileIds: [virus] })).body['code']).toBe('FILE_REFUSED');
    const { body } = await app.ask('GET', `/v1/groups/${groupId}/messages`, { as: acme });
    const [, message] = body['data'] as { text: string; files: FileView[] }[];
    expect(message).toMatchObject({ text: 'My CV' });
    await until(async () => {
      const { body: page } = await app.ask('GET', `/v1/groups/${groupId}/messages`, { as: acme });
      return (page['data'] as { files: FileView[] }[])[1]!.files[0]!.status === 'infected';
    }, 'the message to show it');
  });

  test('are refused when too large, of a forbidden type or not of the declared type', async () => {
    const ask = (body: object) =>
      app.ask('POST', '/files', {
        as: ada,
        body: { groupId, name: 'a', contentType: 'text/plain', size: 1, ...body },
      });
    expect((await ask({ size: 25 * 1_048_576 + 1 })).body['code']).toBe('FILE_TOO_LARGE');
    expect((await ask({ contentType: 'image/svg+xml' })).body['code']).toBe('FILE_TYPE_NOT_ALLOWED');
    expect((await ask({ name: '' })).status).toBe(400);
    expect((await ask({ groupId: randomUUID() })).body['code']).toBe('GROUP_NOT_FOUND');
    const files = filesOf(app, ada);
    const bytes = bytesOf('<html><script>alert(1)</script></html>');
    const page = await files.upload({ groupId, name: 'notes.txt', contentType: 'text/plain', bytes });
    expect(await files.settled(page)).toMatchObject({ status: 'rejected', reason: 'type-not-allowed' });
  });

  test('have names that cannot escape a header or a folder', async () => {
    const files = filesOf(app, ada);
    const name = '../../etc/a"b\r\nSet-Cookie: x=1\u202Efdp.txt';
    const fileId = await files.upload({ groupId, name, contentType: 'text/plain', bytes: bytesOf('Hello') });
    const { url, name: kept } = await files.settled(fileId);
    expect(kept).not.toMatch(/[\r\n/\u202E]/);
    const { headers } = await fetch(url!);
    expect(headers.get('set-cookie')).toBeNull();
    expect(headers.get('content-disposition')).toMatch(/^attachment; filename=/);
  });

  test('can be attached by their uploader only, and only in their group', async () => {
    const fileId = await filesOf(app, acme).upload({
      ...{ groupId, name: 'offer.txt', contentType: 'text/plain' },
      bytes: bytesOf('An offer'),
    });
    expect((await send(ada, { fileIds: [fileId] })).body['code']).toBe('FILE_NOT_FOUND');
    expect((await app.ask('GET', `/v1/files/${fileId}`, { as: ada })).body['code']).toBe('FILE_NOT_FOUND');
    expect((await send(acme, { fileIds: [fileId] })).status).toBe(201);
    await until(async () => (await app.ask('GET', `/v1/files/${fileId}`, { as: ada })).status === 200);
  });

  test('wait while the scanner is down, as readiness reports, and everything else continues', async () => {
    await clamd.kill();
    const files = filesOf(app, ada);
    const fileId = await files.upload({
      groupId,
      name: 'a.txt',
      contentType: 'text/plain',
      bytes: bytesOf('A'),
    });
    const ready = async () =>
      (await app.ask('GET', '/health/ready')) as unknown as { status: number; body: Readiness };
    await until(
      async () => (await ready()).body.dependencies['scanner']?.status !== 'ok',
      'readiness to report it',
    );
    expect((await ready()).status).toBe(200);
    expect((await send(ada, { text: 'still here' })).status).toBe(201);
    expect((await files.read(fileId)).status).toBe('scanning');
    await clamd.restart();
    expect(await files.settled(fileId, 30_000)).toMatchObject({ status: 'clean' });
    await until(
      async () => (await ready()).body.dependencies['scanner']?.status === 'ok',
      'readiness to recover',
    );
  }, 60_000);
});

interface Readiness {
  dependencies: Record<string, { status: string; detail?: string }>;
}
