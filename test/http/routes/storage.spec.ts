import { parse } from 'content-disposition';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { createSignedLinks } from '../../../src/auth/tokens/signed-links.ts';
import type { ExistingFile } from '../../../src/commands/file/file.ts';
import { CommandRejected } from '../../../src/commands/rejection.ts';
import { FileId, GroupId, UserId } from '../../../src/events/ids.ts';
import { type FileStorage, StorageUnavailable, storageKey } from '../../../src/files/storage.ts';
import { createLocalStorage } from '../../../src/adapters/disk/storage.ts';
import { uuid } from '../../support/language/example-events.ts';
import { startStorageApp } from '../../support/stages/storage-app.ts';
import { until } from '../../../tools/until.ts';

const fileId = FileId.parse(uuid(1));
const userId = UserId.parse(uuid(2));
const stranger = UserId.parse(uuid(3));
const CANARY = 'canary';

describe('storage links', () => {
  let dir: string;
  const links = createSignedLinks(() => [Buffer.alloc(32, 1)]);
  let storage: Awaited<ReturnType<typeof createLocalStorage>>;
  let app: Awaited<ReturnType<typeof startStorageApp>>;
  const bytes = randomBytes(3_000_000);
  const clean: ExistingFile = {
    fileId,
    groupId: GroupId.parse(uuid(4)),
    uploaderId: userId,
    name: 'my cv.pdf',
    contentType: 'application/pdf',
    size: bytes.length,
    sha256: null,
    sendBy: '2026-01-01T00:00:00.000Z',
    status: 'clean',
    hasThumbnail: true,
  };
  let file: ExistingFile = clean;
  /** The file whose upload was completed. */
  let completed: FileId | undefined;
  /** The storage that the routes read from; a test may replace it. */
  let reading: Pick<FileStorage, 'stat' | 'read'>;
  const bodyMs = 400;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'storage-'));
    storage = await createLocalStorage({ dir, links });
    await storage.put(storageKey('clean', fileId), bytes, 'application/pdf');
    await storage.put(storageKey('thumbnails', fileId), Buffer.from('a picture'), 'image/webp');
    const deps = {
      storage: {
        stat: (key: Parameters<FileStorage['stat']>[0]) => reading.stat(key),
        read: (...asked: Parameters<FileStorage['read']>) => reading.read(...asked),
      },
      links,
      receiver: storage,
      isUploaded: async (id: FileId) => id === completed,
      fileAccess: async (id: FileId, user: UserId) => {
        if (id !== fileId || user !== userId) throw new CommandRejected('FILE_NOT_FOUND');
        return { state: file, revision: 0, position: 0 } as never;
      },
    };
    app = await startStorageApp(deps, { bodyMs });
  });
  beforeEach(() => {
    file = clean;
    reading = storage;
  });
  afterAll(async () => {
    await app.stop();
    await rm(dir, { recursive: true });
  });

  const soon = () => Date.now() + 60_000;
  const tokenFor = (fields: Record<string, string> = {}, expiresAt = soon()) =>
    links.sign('download', { fileId, userId, variant: 'original', ...fields }, expiresAt);
  const download = (
    token = tokenFor(),
    { id = fileId, method = 'GET', headers = {} as Record<string, string> } = {},
  ) => fetch(`${app.origin}/v1/storage/${id}?token=${token}`, { method, headers });
  const codeOf = async (response: Response) => {
    const { status, code } = (await response.json()) as { status: number; code: string };
    expect(response.status).toBe(status);
    return `${status} ${code}`;
  };

  describe('for downloads', () => {
    test('return the bytes as an attachment that browsers neither open nor cache', async () => {
      const response = await download();
      expect(response.status).toBe(200);
      expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true);
      expect(Object.fromEntries(response.headers)).toMatchObject({
        'content-type': 'application/pdf',
        'content-length': '3000000',
        'content-disposition': 'attachment; filename="my cv.pdf"',
        'x-content-type-options': 'nosniff',
        'content-security-policy': "sandbox; default-src 'none'",
        'cache-control': 'private, no-store',
        'cross-origin-resource-policy': 'cross-origin',
      });
    });

    describe('with Range', () => {
      const part = (range: string, more: { method?: string; headers?: Record<string, string> } = {}) =>
        download(tokenFor(), { ...more, headers: { range, ...more.headers } });
      const bodyOf = async (response: Response) => Buffer.from(await response.arrayBuffer());

      test.each([
        ['bytes=0-9', 0, 9],
        ['bytes=70000-200000', 70_000, 200_000],
        ['bytes=2999990-', 2_999_990, 2_999_999],
        ['bytes=-10', 2_999_990, 2_999_999],
        ['bytes=2999990-9999999', 2_999_990, 2_999_999],
        ['bytes=0-', 0, 2_999_999],
      ])('%s return that part alone', async (range, start, end) => {
        const response = await part(range);
        expect(response.status).toBe(206);
        expect(Object.fromEntries(response.headers)).toMatchObject({
          'content-range': `bytes ${start}-${end}/3000000`,
          'content-length': String(end - start + 1),
          'content-type': 'application/pdf',
          'accept-ranges': 'bytes',
          'content-disposition': 'attachment; filename="my cv.pdf"',
        });
        expect((await bodyOf(response)).equals(bytes.subarray(start, end + 1))).toBe(true);
      });

      test.each(['bytes=5-1', 'bytes=x', 'pages=1-2', 'bytes=0-1,5-6', 'bytes', 'bytes='])(
        '%s return all, as it cannot be understood or is more than one part',
        async (range) => {
          const response = await part(range);
          expect(response.status).toBe(200);
          expect((await bodyOf(response)).equals(bytes)).toBe(true);
        },
      );

      test.each(['bytes=3000000-', 'bytes=3000000-3000001', 'bytes=-0'])(
        '%s are refused, with the size of the file',
        async (range) => {
          const response = await part(range);
          expect(response.headers.get('content-range')).toBe('bytes */3000000');
          expect(await codeOf(response)).toBe('416 RANGE_NOT_SATISFIABLE');
        },
      );

      test('return all when If-Range names other bytes', async () => {
        const etag = (await part('bytes=0-0')).headers.get('etag')!;
        expect((await part('bytes=0-9', { headers: { 'if-range': etag } })).status).toBe(206);
        for (const other of ['"other"', `W/${etag}`, new Date().toUTCString()])
          expect((await part('bytes=0-9', { headers: { 'if-range': other } })).status).toBe(200);
      });

      test('and HEAD describe the whole file', async () => {
        const response = await part('bytes=0-9', { method: 'HEAD' });
        expect([response.status, response.headers.get('content-length')]).toEqual([200, '3000000']);
        expect(response.headers.get('accept-ranges')).toBe('bytes');
      });
    });

    test('return the thumbnail, which a browser may keep', async () => {
      const token = tokenFor({ variant: 'thumbnail' });
      const first = await download(token);
      expect(first.headers.get('cache-control')).toBe('private, max-age=3600, immutable');
      expect(first.headers.get('cross-origin-resource-policy')).toBe('cross-origin');
      const etag = first.headers.get('etag')!;
      // Without it, fetch asks for a copy that is not from any cache.
      const revalidating = { 'cache-control': 'max-age=0' };
      const again = await download(token, {
        headers: { ...revalidating, 'if-none-match': `"x", ${etag}` },
      });
      expect([again.status, await again.text(), again.headers.get('etag')]).toEqual([304, '', etag]);
      expect(again.headers.get('cache-control')).toBe('private, max-age=3600, immutable');
      expect((await download(token, { headers: { ...revalidating, 'if-none-match': '"x"' } })).status).toBe(
        200,
      );
      const strangers = tokenFor({ variant: 'thumbnail', userId: stranger });
      const theirs = await download(strangers, { headers: { ...revalidating, 'if-none-match': etag } });
      expect(await codeOf(theirs)).toBe('404 FILE_NOT_FOUND');
    });

    test('return the thumbnail', async () => {
      const response = await download(tokenFor({ variant: 'thumbnail' }));
      expect(response.headers.get('content-type')).toBe('image/webp');
      expect(await response.text()).toBe('a picture');
      file = { ...clean, hasThumbnail: false };
      expect(await codeOf(await download(tokenFor({ variant: 'thumbnail' })))).toBe('404 FILE_NOT_FOUND');
    });

    test('answer HEAD without reading the bytes', async () => {
      reading = { ...storage, read: () => Promise.reject(new Error('nobody reads')) };
      const response = await download(tokenFor(), { method: 'HEAD' });
      expect(response.status).toBe(200);
      expect(response.headers.get('content-length')).toBe('3000000');
      expect(response.headers.get('content-type')).toBe('application/pdf');
    });

    test.each([
      ['line breaks', 'a\r\nSet-Cookie: x=1', 'aSet-Cookie: x=1.pdf'],
      ['quotes', 'a "quoted" name.pdf', 'a "quoted" name.pdf'],
      ['bidirectional controls', 'a\u202Efdp.exe', 'afdp.exe.pdf'],
      ['a path', '../../etc/passwd', 'passwd.pdf'],
      ['a Windows path', '..\\..\\boot.ini', 'boot.ini.pdf'],
      ['a program extension', 'cv.bat', 'cv.bat.pdf'],
      ['percent signs', '100%41.pdf', '100%41.pdf'],
      ['other scripts', 'Lebenslauf für Ünal 履歴書 🙂.pdf', 'Lebenslauf für Ünal 履歴書 🙂.pdf'],
      ['a parameter of its own', `a"; filename*=UTF-8''evil.exe`, `a"; filename*=UTF-8''evil.exe.pdf`],
    ])('send a safe file name for a name with %s', async (_what, name, saved) => {
      file = { ...clean, name };
      const { headers } = await download();
      const header = headers.get('content-disposition')!;
      expect(header).toMatch(/^attachment; filename=/);
      expect(header).toMatch(/^[\x20-\x7e\xa0-\xff]*$/);
      expect(headers.get('set-cookie')).toBeNull();
      const { parameters } = parse(header);
      expect(parameters['filename']).toBe(saved);
    });

    test('are refused when forged, expired, of another purpose or for another file', async () => {
      const token = tokenFor();
      const other = FileId.parse(uuid(9));
      for (const each of [
        `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`,
        'nonsense',
        tokenFor({}, Date.now() - 1),
        tokenFor({ fileId: other }),
        tokenFor({ variant: 'quarantine' }),
        links.sign('upload', { fileId, userId, variant: 'original' }, soon()),
      ])
        expect(await codeOf(await download(each))).toBe('403 LINK_INVALID');
      expect(await codeOf(await download(token, { id: other }))).toBe('403 LINK_INVALID');
      expect((await fetch(`${app.origin}/v1/storage/${fileId}`)).status).toBe(400);
    });

    test('are useless to users who may not see the file', async () => {
      expect(await codeOf(await download(tokenFor({ userId: stranger })))).toBe('404 FILE_NOT_FOUND');
    });

    test('never return a file that is not clean', async () => {
      const { hasThumbnail: _, ...upload } = clean;
      for (const state of [
        { ...upload, status: 'pending' },
        { ...upload, status: 'scanning', etag: 'x' },
        { ...upload, status: 'refused', reason: 'infected', signature: 'Eicar' },
      ] as ExistingFile[]) {
        file = state;
        expect(await codeOf(await download())).toBe('404 FILE_NOT_FOUND');
      }
    });

    test('answer 503 when storage fails at once, and abort when it fails halfway', async () => {
      reading = { ...storage, read: () => Promise.reject(new StorageUnavailable('down')) };
      const response = await download();
      expect(response.headers.get('retry-after')).toBe('1');
      expect(await codeOf(response)).toBe('503 UNAVAILABLE');

      const failing = (chunks: number) => async () => ({
        ...{ size: 1_000_000, etag: 'x' },
        body: Readable.from(
          (function* () {
            for (let n = 0; n < chunks; n += 1) yield Buffer.alloc(100_000);
            throw new StorageUnavailable('broken');
          })(),
          { objectMode: false },
        ),
      });
      reading = { ...storage, read: failing(0) };
      expect(await codeOf(await download())).toBe('503 UNAVAILABLE');
      reading = { ...storage, read: failing(3) };
      const broken = await download();
      expect(broken.status).toBe(200);
      await expect(broken.arrayBuffer()).rejects.toThrow();
    });

    test('stop reading from storage when the client disconnects', async () => {
      let body: Readable | undefined;
      reading = {
        ...storage,
        read: async (...asked) => {
          const found = await storage.read(...asked);
          ({ body } = found);
          return found;
        },
      };
      const leaving = new AbortController();
      const url = `${app.origin}/v1/storage/${fileId}?token=${tokenFor()}`;
      await fetch(url, { signal: leaving.signal });
      leaving.abort();
      await until(() => body?.destroyed === true, 'the stream is destroyed');
    });
  });

  describe('for uploads', () => {
    const target = (size: number, id: FileId) =>
      storage.presignUpload({
        fileId: id,
        contentType: 'image/png',
        size,
        sha256: null,
        origin: app.origin,
      });
    let next = 100;
    const newId = () => FileId.parse(uuid((next += 1)));
    const put = async (url: string, body: Uint8Array<ArrayBuffer>, type = 'image/png') =>
      fetch(url, { method: 'PUT', headers: { 'content-type': type }, body });
    const five = new Uint8Array(5);

    test('explain why they are refused', async () => {
      const id = newId();
      const { url } = await target(5, id);
      expect(await codeOf(await put(url, new Uint8Array(6)))).toBe('400 BAD_REQUEST');
      expect(await codeOf(await put(url, five, 'text/html'))).toBe('400 BAD_REQUEST');
      expect(await codeOf(await put(`${url}A`, five))).toBe('403 LINK_INVALID');
      expect(await codeOf(await put(url.replace(id, newId()), five))).toBe('403 LINK_INVALID');
      const token = tokenFor({ fileId: id });
      expect(await codeOf(await put(`${url.split('=')[0]}=${token}`, five))).toBe('403 LINK_INVALID');
      expect((await put(url, five)).status).toBe(200);
      expect(await codeOf(await put(url, five))).toBe('412 FILE_EXISTS');
    });

    test('are refused once the upload was completed, even when its bytes have been moved', async () => {
      const id = newId();
      const { url } = await target(5, id);
      expect((await put(url, five)).status).toBe(200);
      completed = id;
      await storage.remove([storageKey('quarantine', id)]);
      expect(await codeOf(await put(url, five))).toBe('412 FILE_EXISTS');
      expect(await storage.stat(storageKey('quarantine', id))).toBeUndefined();
    });

    test('work only for the quarantine, which cannot be read', async () => {
      const id = newId();
      const { url } = await target(5, id);
      expect((await put(url, five)).status).toBe(200);
      expect((await fetch(url)).status).toBe(404);
      expect((await put(url.replace('quarantine', 'clean'), five)).status).toBe(404);
    });

    test('store JSON as plain bytes', async () => {
      const id = newId();
      const { url } = await storage.presignUpload({
        fileId: id,
        contentType: 'application/json',
        size: 5,
        sha256: null,
        origin: app.origin,
      });
      expect((await put(url, new Uint8Array(Buffer.from('{"a":')), 'application/json')).status).toBe(200);
    });

    test('accept a slow upload, unlike other slow bodies', async () => {
      const { url } = await target(8, newId());
      const headers = { 'content-type': 'image/png', 'content-length': 8 };
      const began = performance.now();
      const status = await new Promise<number | undefined>((resolve, reject) => {
        const sent = request(url, { method: 'PUT', headers }, (response) => {
          response.resume();
          resolve(response.statusCode);
        }).on('error', reject);
        let left = 8;
        const timer = setInterval(() => {
          sent.write('x');
          left -= 1;
          if (left === 0) sent.end(() => clearInterval(timer));
          if (left === 0) clearInterval(timer);
        }, bodyMs / 4);
      });
      expect(status).toBe(200);
      expect(performance.now() - began).toBeGreaterThan(1.5 * bodyMs);

      const socket = connect(app.port, '127.0.0.1');
      socket.write(
        'POST /json HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n"',
      );
      const cutAfter = performance.now();
      expect(await text(socket).catch(() => '')).toBe('');
      expect(performance.now() - cutAfter).toBeGreaterThan(0.9 * bodyMs);
    });

    test('apply the same time limit to an unexpected body', async () => {
      const socket = connect(app.port, '127.0.0.1');
      socket.write('POST /nowhere HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe');
      // Ends only when the server closes the connection.
      await text(socket).catch(() => '');
    });
  });

  test('are not logged', async () => {
    const token = links.sign('download', { fileId, userId, variant: CANARY }, soon());
    expect(await codeOf(await download(token))).toBe('403 LINK_INVALID');
    reading = { ...storage, read: () => Promise.reject(new StorageUnavailable('down')) };
    const fine = tokenFor();
    await download(fine);
    expect(JSON.stringify(app.lines())).not.toContain(fine);
    expect(JSON.stringify(app.lines())).not.toContain(token);
    expect(app.lines().some(({ code }) => code === 'UNAVAILABLE')).toBe(true);
  });
});
