import { randomUUID } from 'node:crypto';
import type { Actor } from '../../../src/commands/command.ts';
import type { RefusalReason } from '../../../src/events/file.ts';
import { type FileId, UserId } from '../../../src/events/ids.ts';
import { StorageUnavailable, storageKey } from '../../../src/files/storage.ts';
import { removeLeftoverBytes } from '../../../src/files/remove-leftover-bytes.ts';
import {
  ada,
  bob,
  cleared,
  eve,
  event,
  fileRefused,
  group,
  groupId,
  left,
  otherGroupId,
  removed,
} from '../../support/language/example-events.ts';
import {
  type FileStage,
  BYTES_PER_GROUP,
  BYTES_PER_USER_DAY,
  MAX_FILE_BYTES,
  UPLOADS_PER_MINUTE,
  openFileStage,
} from '../../support/stages/file-stage.ts';
import { wholeLog } from '../../support/language/history.ts';

interface Requested {
  fileId: FileId;
  upload: { method: string; url: string; headers: Record<string, string>; expiresAt: string };
  position: string;
}
interface Seen {
  status: string;
  url?: string;
  expiresAt?: string;
  thumbnail?: { url: string };
  thumbnailUrl?: string;
}

const wish = { groupId, name: 'cv.pdf', contentType: 'application/pdf', size: 5 };
/** A new uploader for each test, since quotas are per user. */
const newcomer = (): Actor => ({ userId: UserId.parse(randomUUID()), role: 'applicant' });

let stage: FileStage;
let uploader: Actor;
beforeAll(async () => {
  stage = await openFileStage();
  await stage.happened(
    ...group,
    event('ChatGroupCreated', { groupId: otherGroupId, jobId: null, name: 'Other', adminId: eve.userId }),
  );
});
beforeEach(async () => {
  uploader = newcomer();
  await stage.happened(event('MemberJoined', { groupId, userId: uploader.userId, role: 'member' }));
});
afterAll(() => stage.close());

const request = (change: object = {}, headers: Record<string, string> = {}, path = '/v1/files') =>
  stage.ask('POST', path, { as: uploader, body: { ...wish, ...change }, headers });
const requested = async (change: object = {}) => (await request(change)).body as unknown as Requested;
const complete = (fileId: string, as = uploader) => stage.ask('POST', `/v1/files/${fileId}/complete`, { as });
const see = async (fileId: string, as = uploader) => stage.ask('GET', `/v1/files/${fileId}`, { as });
const put = (fileId: FileId, bytes = 'bytes') =>
  stage.storage.put(storageKey('quarantine', fileId), Buffer.from(bytes), wish.contentType);
const uploaded = async () => {
  const { fileId } = await requested();
  await put(fileId);
  await complete(fileId);
  return fileId;
};
const about = (fileId: FileId) => ({ fileId, groupId, uploaderId: uploader.userId });
const clear = (fileId: FileId, hasThumbnail = false) =>
  stage.happened(event('FileCleared', { ...cleared.data, ...about(fileId), hasThumbnail }));
const refuse = (fileId: FileId, reason: RefusalReason) =>
  stage.happened(event('FileRefused', { ...fileRefused(reason).data, ...about(fileId) }));
const send = (fileId: string) =>
  stage.ask('POST', `/v1/groups/${groupId}/messages`, {
    as: uploader,
    body: { clientMsgId: randomUUID(), fileIds: [fileId] },
  });

describe('POST /v1/files', () => {
  test.each(['/v1/files', '/files'])('answers at %s with the target of the upload', async (path) => {
    const { status, body } = await request({}, { host: 'chat.example.org' }, path);
    expect(status).toBe(201);
    expect(body).toEqual({
      fileId: expect.any(String),
      upload: {
        method: 'PUT',
        url: expect.stringContaining(
          `http://chat.example.org/v1/storage/quarantine/${String(body['fileId'])}?`,
        ),
        headers: expect.objectContaining({ 'content-type': 'application/pdf' }),
        expiresAt: expect.any(String),
      },
      status: 'pending',
      position: expect.any(String),
    });
    const expiresIn = Date.parse((body as unknown as Requested).upload.expiresAt) - Date.now();
    expect(expiresIn).toBeGreaterThan(290_000);
    expect(expiresIn).toBeLessThanOrEqual(300_000);
  });

  test('accepts a type with parameters and in capitals, as browsers send it', async () => {
    const { fileId } = await requested({ name: 'cv.txt', contentType: 'TEXT/Plain; charset=utf-8' });
    expect((await see(fileId)).body).toMatchObject({ contentType: 'text/plain', status: 'pending' });
  });

  test.each([
    ['cv.csv', 'application/vnd.ms-excel', 'text/csv', 'cv.csv'],
    ['letter.rtf', 'application/msword', 'application/rtf', 'letter.rtf'],
    ['me.JPG', 'image/jpg', 'image/jpeg', 'me.JPG'],
    ['cv', 'application/pdf', 'application/pdf', 'cv.pdf'],
    ['notes.v2', 'text/plain', 'text/plain', 'notes.v2.txt'],
    ['photo', '', 'application/octet-stream', 'photo'],
  ])(
    'stores %s declared as %p with the type %s and the name %s',
    async (name, declared, contentType, kept) => {
      const { fileId, upload } = await requested({ name, contentType: declared });
      expect(upload.headers['content-type']).toBe(contentType);
      expect((await see(fileId)).body).toMatchObject({ contentType, name: kept });
    },
  );

  test('explains what is wrong with the name or the type', async () => {
    expect((await request({ name: 'cv.bat', contentType: 'text/plain' })).body['detail']).toContain('.bat');
    expect((await request({ name: 'cv.pdf', contentType: 'image/png' })).body['errors']).toEqual([
      { pointer: '/contentType', message: 'A file named .pdf is of the type application/pdf, not image/png' },
    ]);
  });

  test('shows a type found by inspection once the file is clean', async () => {
    const { fileId } = await requested({ name: 'photo', contentType: '' });
    await put(fileId);
    await complete(fileId);
    await stage.happened(
      event('FileCleared', {
        ...{ ...cleared.data, ...about(fileId), hasThumbnail: false },
        ...{ contentType: 'image/jpeg', name: 'photo.jpg' },
      }),
    );
    expect((await see(fileId)).body).toMatchObject({ contentType: 'image/jpeg', name: 'photo.jpg' });
  });

  test('gives a repetition with the same key the same answer, and creates one file', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const [first, second] = [await request({}, headers), await request({}, headers, '/files')];
    expect(second.body).toEqual(first.body);
    expect(second.headers['idempotency-replayed']).toBe('true');
    const ours = (await wholeLog(stage.store)).filter(
      ({ type, metadata }) => type === 'FileUploadRequested' && metadata.actorId === uploader.userId,
    );
    expect(ours).toHaveLength(1);
    expect(await request({ size: 6 }, headers)).toMatchObject({ status: 422 });
  });

  test.each([
    [413, 'FILE_TOO_LARGE', { size: MAX_FILE_BYTES + 1 }],
    [415, 'FILE_TYPE_NOT_ALLOWED', { contentType: 'text/html' }],
    [415, 'FILE_TYPE_NOT_ALLOWED', { name: 'cv.bat', contentType: 'text/plain' }],
    [415, 'FILE_TYPE_NOT_ALLOWED', { name: 'cv.exe. ', contentType: 'text/plain' }],
    [400, 'BAD_REQUEST', { name: 'cv.pdf', contentType: 'image/png' }],
    [415, 'FILE_TYPE_NOT_ALLOWED', { contentType: 'image/svg+xml' }],
    [404, 'GROUP_NOT_FOUND', { groupId: otherGroupId }],
    [400, 'BAD_REQUEST', { contentType: 'pdf' }],
    [400, 'BAD_REQUEST', { fileId: randomUUID() }],
    [400, 'BAD_REQUEST', { size: 0 }],
  ])('answers %i %s to %o', async (status, code, change) =>
    expect(await request(change)).toMatchObject({ status, body: { code } }),
  );

  test('accepts the largest allowed size', async () =>
    expect((await request({ size: MAX_FILE_BYTES })).status).toBe(201));

  test('has a quota of its own, and reports what is left of it', async () => {
    const { headers } = await request();
    expect(headers['ratelimit-policy']).toBe(`"uploads";q=${UPLOADS_PER_MINUTE};w=60`);
    for (let n = 1; n < UPLOADS_PER_MINUTE; n += 1) await request();
    const answer = await request();
    expect(answer).toMatchObject({ status: 429, body: { code: 'RATE_LIMITED' } });
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    expect(answer.body['retryAfterMs']).toBe(Number(answer.headers['retry-after']) * 1_000);
  });
});

describe('upload byte quotas', () => {
  const large = { size: MAX_FILE_BYTES };
  const fill = async () => {
    for (let bytes = 0; bytes < BYTES_PER_USER_DAY; bytes += MAX_FILE_BYTES)
      expect((await request(large)).status).toBe(201);
  };
  const dayIsFull = { status: 429, body: { code: 'RATE_LIMITED', retryable: true } };

  test('are limited per user and day, and the refusal says when to retry', async () => {
    await fill();
    const answer = await request({ size: 1 });
    expect(answer).toMatchObject(dayIsFull);
    const untilMidnight = Number(answer.headers['retry-after']);
    expect(answer.body['retryAfterMs']).toBe(untilMidnight * 1_000);
    expect(untilMidnight).toBeGreaterThan(0);
    expect(untilMidnight).toBeLessThanOrEqual(86_400);
  });

  test('are not exceeded by concurrent requests', async () => {
    const answers = await Promise.all(Array.from({ length: 12 }, () => request(large)));
    const granted = answers.filter(({ status }) => status === 201);
    expect(granted).toHaveLength(BYTES_PER_USER_DAY / MAX_FILE_BYTES);
  });

  test('count a repetition once, and a refused request not at all', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const first = await request(large, headers);
    for (let times = 0; times < 5; times += 1)
      expect((await request(large, headers)).body).toEqual(first.body);
    expect((await request({ ...large, groupId: otherGroupId })).status).toBe(404);
    for (let bytes = MAX_FILE_BYTES; bytes < BYTES_PER_USER_DAY; bytes += MAX_FILE_BYTES)
      expect((await request(large)).status).toBe(201);
    expect(await request({ size: 1 })).toMatchObject(dayIsFull);
    expect((await request(large, headers)).body).toEqual(first.body);
  });

  test('are credited when a file is refused', async () => {
    const { fileId } = await requested(large);
    for (let bytes = MAX_FILE_BYTES; bytes < BYTES_PER_USER_DAY; bytes += MAX_FILE_BYTES)
      await request(large);
    expect(await request(large)).toMatchObject(dayIsFull);
    await put(fileId);
    await complete(fileId);
    await refuse(fileId, 'type-does-not-match');
    const tidy = removeLeftoverBytes(stage.storage, stage.quotas);
    await tidy(await wholeLog(stage.store));
    await tidy(await wholeLog(stage.store));
    expect((await request(large)).status).toBe(201);
    expect(await request({ size: 1 })).toMatchObject(dayIsFull);
  });

  test('are limited per group, across all members', async () => {
    const members = [eve, ...Array.from({ length: 10 }, newcomer)];
    for (const { userId } of members.slice(1))
      await stage.happened(event('MemberJoined', { groupId: otherGroupId, userId, role: 'member' }));
    const ask = (as: Actor, size: number) =>
      stage.ask('POST', '/v1/files', { as, body: { ...wish, groupId: otherGroupId, size } });
    let granted = 0;
    for (const member of members)
      for (let files = 0; files < BYTES_PER_USER_DAY / MAX_FILE_BYTES; files += 1)
        if ((await ask(member, MAX_FILE_BYTES)).status === 201) granted += MAX_FILE_BYTES;
    expect(granted).toBe(Math.floor(BYTES_PER_GROUP / MAX_FILE_BYTES) * MAX_FILE_BYTES);
    expect(await ask(members.at(-1)!, MAX_FILE_BYTES)).toMatchObject({
      status: 409,
      body: { code: 'GROUP_FILES_FULL', retryable: false },
    });
    expect((await ask(members.at(-1)!, BYTES_PER_GROUP - granted)).status).toBe(201);
  });

  test('stop uploads when free disk space runs low, while messages continue', async () => {
    stage.disk.freeBytes = 100_004;
    try {
      const answer = await request();
      expect(answer).toMatchObject({
        status: 507,
        body: { code: 'INSUFFICIENT_STORAGE', retryable: true, retryAfterMs: 60_000 },
      });
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
      const body = { clientMsgId: randomUUID(), text: 'still here' };
      expect((await stage.ask('POST', `/v1/groups/${groupId}/messages`, { as: uploader, body })).status).toBe(
        201,
      );
    } finally {
      stage.disk.freeBytes = 1_000_000;
    }
    expect((await request()).status).toBe(201);
  });
});

describe('POST /v1/files/:fileId/complete', () => {
  test('is refused until the bytes are there', async () => {
    const { fileId } = await requested();
    expect(await complete(fileId)).toMatchObject({ status: 409, body: { code: 'FILE_NOT_UPLOADED' } });
    await put(fileId);
    expect(await complete(fileId)).toEqual(
      expect.objectContaining({ status: 202, body: { status: 'scanning', position: expect.any(String) } }),
    );
    expect((await see(fileId)).body['status']).toBe('scanning');
  });

  test('may be repeated, and answers with the current status', async () => {
    const fileId = await uploaded();
    expect(await complete(fileId)).toMatchObject({ status: 202, body: { status: 'scanning' } });
    await clear(fileId);
    expect(await complete(fileId)).toMatchObject({ status: 202, body: { status: 'clean' } });
  });

  test('completes the upload once when called concurrently', async () => {
    const { fileId } = await requested();
    await put(fileId);
    const answers = await Promise.all([complete(fileId), complete(fileId), complete(fileId)]);
    expect(answers.map(({ body }) => body['status'])).toEqual(['scanning', 'scanning', 'scanning']);
    const told = (await wholeLog(stage.store)).filter(
      ({ type, data }) => type === 'FileUploaded' && data.fileId === fileId,
    );
    expect(told).toHaveLength(1);
  });

  test('answers others as for a missing file', async () => {
    const { fileId } = await requested();
    await put(fileId);
    const [others, none] = [await complete(fileId, bob), await complete(randomUUID(), bob)];
    expect(others).toMatchObject({ status: 404, body: { code: 'FILE_NOT_FOUND' } });
    expect({ ...others.body, instance: '' }).toEqual({ ...none.body, instance: '' });
  });
});

describe('GET /v1/files/:fileId', () => {
  test('returns no link before the file is clean', async () => {
    const fileId = await uploaded();
    expect((await see(fileId)).body).toEqual({ fileId, ...wish, status: 'scanning' });
  });

  test('returns a link for the caller alone once the file is clean, and none to a missing thumbnail', async () => {
    const fileId = await uploaded();
    await send(fileId);
    await clear(fileId);
    const seen = (await see(fileId, bob)).body as unknown as Seen;
    expect(seen).toEqual({
      fileId,
      ...wish,
      status: 'clean',
      url: expect.any(String),
      expiresAt: expect.any(String),
    });
    const url = new URL(seen.url!);
    expect(url.pathname).toBe(`/v1/storage/${fileId}`);
    expect(stage.links.open('download', url.searchParams.get('token')!)).toEqual({
      fileId,
      userId: bob.userId,
      variant: 'original',
    });
    const expiresIn = Date.parse(seen.expiresAt!) - Date.now();
    expect(expiresIn).toBeGreaterThan(55_000);
    expect(expiresIn).toBeLessThanOrEqual(60_000);
  });

  test('returns a link to the thumbnail', async () => {
    const fileId = await uploaded();
    await clear(fileId, true);
    const { thumbnail, thumbnailUrl } = (await see(fileId)).body as unknown as Seen;
    expect(thumbnail).toEqual({ url: thumbnailUrl });
    const token = new URL(thumbnailUrl!).searchParams.get('token')!;
    expect(stage.links.open('download', token)).toMatchObject({ variant: 'thumbnail' });
  });

  test('returns the same link to the thumbnail as its messages do, for the caller alone', async () => {
    const fileId = await uploaded();
    await send(fileId);
    const lastFile = async (as: Actor) => {
      const { body } = await stage.ask('GET', `/v1/groups/${groupId}/messages`, { as });
      return (body['data'] as { files: { thumbnailUrl?: string }[] }[]).at(-1)!.files[0]!;
    };
    expect(await lastFile(bob)).not.toHaveProperty('thumbnailUrl');
    await clear(fileId, true);
    const { thumbnailUrl } = (await see(fileId, bob)).body as unknown as Seen;
    expect(await lastFile(bob)).toMatchObject({ fileId, hasThumbnail: true, thumbnailUrl });
    const ofUploader = new URL((await lastFile(uploader)).thumbnailUrl!).searchParams.get('token')!;
    expect(stage.links.open('download', ofUploader)).toMatchObject({ fileId, userId: uploader.userId });
  });

  test.each([
    ['infected', 'infected'],
    ['type-does-not-match', 'rejected'],
    ['never-sent', 'rejected'],
  ] as const)('shows a file refused as %s as %s, without a link', async (reason, status) => {
    const fileId = await uploaded();
    if (reason === 'never-sent') await clear(fileId, true);
    await refuse(fileId, reason);
    expect((await see(fileId)).body).toEqual({ fileId, ...wish, status, reason });
  });

  test('serves members of the group of a message that names the file, and answers 404 to others', async () => {
    const fileId = await uploaded();
    expect((await see(fileId, bob)).status).toBe(404);
    expect(await send(fileId)).toMatchObject({ status: 201 });
    expect((await see(fileId, bob)).body).toMatchObject({ status: 'scanning' });
    const [stranger, none] = [await see(fileId, eve), await see(randomUUID(), eve)];
    expect(stranger).toMatchObject({ status: 404, body: { code: 'FILE_NOT_FOUND' } });
    expect({ ...stranger.body, instance: '' }).toEqual({ ...none.body, instance: '' });
    await stage.happened(removed(ada));
    expect((await see(fileId, ada)).status).toBe(404);
  });
});

describe('GET /v1/files', () => {
  const list = (ids: readonly string[], as = uploader) =>
    stage.ask('GET', `/v1/files?ids=${ids.join(',')}`, { as });
  const statusesFor = async (ids: readonly string[], as: Actor) =>
    ((await list(ids, as)).body['data'] as Seen[]).map(({ status }) => status);

  test('returns what each file would, in the order asked for', async () => {
    const [pending, picture, infected] = [(await requested()).fileId, await uploaded(), await uploaded()];
    await clear(picture, true);
    await refuse(infected, 'infected');
    const { status, body } = await list([infected, picture, pending]);
    expect(status).toBe(200);
    const alone = await Promise.all([infected, picture, pending].map((id) => see(id)));
    const withoutTimes = ({ url: _, expiresAt: __, ...file }: Record<string, unknown>) => file;
    expect((body['data'] as Record<string, unknown>[]).map(withoutTimes)).toEqual(
      alone.map((each) => withoutTimes(each.body)),
    );
    const [, clean] = body['data'] as Seen[];
    const token = new URL(clean!.url!).searchParams.get('token')!;
    expect(stage.links.open('download', token)).toEqual({
      ...{ fileId: picture, userId: uploader.userId, variant: 'original' },
    });
  });

  test('leaves out unknown files and those that the caller may not know of', async () => {
    const [hidden, sent] = [await uploaded(), await uploaded()];
    await send(sent);
    const ids = [hidden, randomUUID(), sent];
    expect(await statusesFor(ids, uploader)).toEqual(['scanning', 'scanning']);
    expect(await statusesFor(ids, bob)).toEqual(['scanning']);
    expect(await statusesFor(ids, eve)).toEqual([]);
    await stage.happened(left(uploader));
    expect(await statusesFor(ids, uploader)).toEqual(['scanning', 'scanning']);
  });

  test('leaves out the files of a group that the caller was removed from', async () => {
    const fileId = await uploaded();
    await send(fileId);
    const member = newcomer();
    await stage.happened(event('MemberJoined', { groupId, userId: member.userId, role: 'member' }));
    expect(await statusesFor([fileId], member)).toEqual(['scanning']);
    await stage.happened(removed(member));
    expect(await statusesFor([fileId], member)).toEqual([]);
  });

  test.each([
    ['no id', ''],
    ['more than 100 ids', Array.from({ length: 101 }, () => randomUUID()).join(',')],
    ['something that is no id', `${randomUUID()},x`],
    ['the nil UUID', '00000000-0000-0000-0000-000000000000'],
  ])('refuses %s', async (_what, ids) => {
    expect(await list([ids])).toMatchObject({ status: 400, body: { code: 'BAD_REQUEST' } });
  });

  test('accepts the ids as parameters of their own', async () => {
    const ids = [await uploaded(), await uploaded()];
    const { body } = await stage.ask('GET', `/v1/files?${ids.map((id) => `ids=${id}`).join('&')}`, {
      as: uploader,
    });
    expect((body['data'] as { fileId: string }[]).map(({ fileId }) => fileId)).toEqual(ids);
  });

  test('accepts 100 ids, and the same one twice', async () => {
    const fileId = await uploaded();
    const ids = [fileId, fileId, ...Array.from({ length: 98 }, () => randomUUID())];
    expect(await statusesFor(ids, uploader)).toEqual(['scanning']);
  });
});

describe('the base URL of links', () => {
  test('is the public URL when it is set', async () => {
    const proxied = await openFileStage({ publicUrl: 'https://chat.example.org/' });
    try {
      await proxied.happened(...group);
      const { body } = await proxied.ask('POST', '/v1/files', { as: ada, body: wish });
      expect((body as unknown as Requested).upload.url).toMatch(
        /^https:\/\/chat\.example\.org\/v1\/storage\//,
      );
    } finally {
      await proxied.close();
    }
  });
});

describe('unreachable storage', () => {
  afterEach(() => delete stage.failing.storage);

  test('causes a retryable 503, and the same request works once it is back', async () => {
    const { fileId } = await requested();
    await put(fileId);
    stage.failing.storage = new StorageUnavailable('down');
    const headers = { 'idempotency-key': randomUUID() };
    const unavailable = {
      status: 503,
      body: { code: 'UNAVAILABLE', retryable: true, retryAfterMs: 1_000 },
    };
    expect(await request({}, headers)).toMatchObject(unavailable);
    expect(await complete(fileId)).toMatchObject(unavailable);
    delete stage.failing.storage;
    expect((await request({}, headers)).status).toBe(201);
    expect((await complete(fileId)).status).toBe(202);
  });
});
