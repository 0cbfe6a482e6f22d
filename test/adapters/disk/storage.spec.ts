import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { createSignedLinks } from '../../../src/auth/tokens/signed-links.ts';
import { StorageUnavailable, storageKey } from '../../../src/files/storage.ts';
import { UploadRefused } from '../../../src/files/upload-receiver.ts';
import { createLocalStorage } from '../../../src/adapters/disk/storage.ts';
import { startStorageApp } from '../../support/stages/storage-app.ts';
import { until } from '../../../tools/until.ts';
import { describeStorage, newFileId, sha256, upload } from '../../files/storage-contract.ts';

describe('files in a folder', () => {
  let dir: string;
  let leapMs = 0;
  const links = createSignedLinks(
    () => [Buffer.alloc(32, 1)],
    () => Date.now() + leapMs,
  );
  let storage: Awaited<ReturnType<typeof createLocalStorage>>;
  let app: Awaited<ReturnType<typeof startStorageApp>>;
  beforeAll(async () => {
    dir = join(await mkdtemp(join(tmpdir(), 'files-')), 'files');
    storage = await createLocalStorage({ dir, links });
    const fileAccess = () => Promise.reject(new Error('nobody downloads here'));
    app = await startStorageApp({
      storage,
      links,
      receiver: storage,
      fileAccess,
      isUploaded: async () => false,
    });
  });
  afterAll(async () => {
    await app.stop();
    await rm(join(dir, '..'), { recursive: true });
  });

  describeStorage(() => ({ storage, origin: app.origin, passTime: (ms) => void (leapMs += ms) }));

  const permit = (size: number, fileId = newFileId()) => ({
    fileId,
    contentType: 'image/png',
    size,
    sha256: null,
  });
  const receive = (bytes: Buffer, fileId = newFileId()) =>
    storage.receive(permit(bytes.length, fileId), Readable.from([bytes], { objectMode: false }));
  const incoming = () => readdir(join(dir, 'incoming'));

  test('are accessible to their owner only', async () => {
    const fileId = newFileId();
    await receive(Buffer.from('bytes'), fileId);
    expect((await stat(join(dir, 'quarantine', fileId))).mode & 0o777).toBe(0o600);
    for (const folder of ['', 'quarantine', 'clean', 'thumbnails', 'incoming'])
      expect((await stat(join(dir, folder))).mode & 0o777).toBe(0o700);
  });

  test('never use the reserved free space, counting uploads in progress', async () => {
    let freeBytes = 1_500;
    const options = { dir, links, minFreeBytes: 1_000, freeBytes: async () => freeBytes };
    const small = await createLocalStorage(options);
    const full = { name: 'StorageFull' };
    await small.requireRoom(500);
    await expect(small.requireRoom(501)).rejects.toMatchObject(full);
    const slow = new Readable({ read: () => undefined });
    const first = small.receive(permit(300), slow);
    const second = () => small.receive(permit(201), Readable.from([Buffer.alloc(201)]));
    await until(async () => (await incoming()).length === 1);
    await expect(second()).rejects.toMatchObject(full);
    slow.push(Buffer.alloc(300));
    slow.push(null);
    await first;
    await second();
    expect(await small.failure()).toBeUndefined();
    freeBytes = 999;
    expect(await small.failure()).toBe('the disk of the storage folder is nearly full');
  });

  test('share one rate limit across all uploads', async () => {
    const go = Promise.withResolvers<void>();
    const asked: number[] = [];
    const pace = (bytes: number) => {
      asked.push(bytes);
      return go.promise;
    };
    const paced = await createLocalStorage({ dir, links, pace });
    let done = 0;
    const uploads = [200, 300].map((size) =>
      paced.receive(permit(size), Readable.from([Buffer.alloc(size)])).finally(() => (done += 1)),
    );
    await until(() => asked.length === 2);
    expect([asked.toSorted(), done]).toEqual([[200, 300], 0]);
    go.resolve();
    expect((await Promise.all(uploads)).map(({ size }) => size)).toEqual([200, 300]);
  });

  test('have the SHA-256 of their bytes as etag', async () => {
    const bytes = randomBytes(1_000);
    expect(await receive(bytes)).toStrictEqual({ size: 1_000, etag: sha256(bytes) });
  });

  test.each([0, 70_000, 139_999])('are not served when damaged: bit %i', async (at) => {
    const bytes = randomBytes(140_000);
    const key = storageKey('quarantine', newFileId());
    await storage.put(key, bytes, 'image/png');
    const path = join(dir, key);
    const onDisk = await readFile(path);
    onDisk[at]! ^= 1;
    await writeFile(path, onDisk);
    const { etag } = (await storage.stat(key))!;
    const { body } = await storage.read(key, { etag });
    let received = 0;
    const reading = async () => {
      for await (const chunk of body as AsyncIterable<Buffer>) received += chunk.length;
    };
    await expect(reading()).rejects.toThrow(StorageUnavailable);
    expect(received).toBeLessThan(140_000);
    const clean = storageKey('clean', newFileId());
    await expect(storage.copy(key, clean, { etag })).rejects.toThrow(StorageUnavailable);
    expect(await storage.stat(clean)).toBeUndefined();
    expect(await incoming()).toStrictEqual([]);
  });

  test('are not served when truncated', async () => {
    const key = storageKey('clean', newFileId());
    await writeFile(join(dir, key), 'short');
    await expect(storage.stat(key)).rejects.toThrow(StorageUnavailable);
    await expect(storage.read(key)).rejects.toThrow(StorageUnavailable);
  });

  test('are discarded, and the upload is cut, as soon as one without a length is too long', async () => {
    const fileId = newFileId();
    const target = await storage.presignUpload({ ...permit(100_000, fileId), origin: app.origin });
    const endless = new ReadableStream({
      pull(controller) {
        controller.enqueue(new Uint8Array(50_000));
      },
    });
    const sending = fetch(target.url, {
      ...target,
      body: endless,
      duplex: 'half',
    } as RequestInit).then(({ status }) => status);
    await expect(sending).resolves.toBe(400);
    expect(await storage.stat(storageKey('quarantine', fileId))).toBeUndefined();
    expect(await incoming()).toStrictEqual([]);
  });

  test('are stored from an upload without a length when the size is right', async () => {
    const bytes = randomBytes(100_000);
    const target = await storage.presignUpload({ ...permit(bytes.length), origin: app.origin });
    const body = new Blob([bytes]).stream();
    const answer = await fetch(target.url, { ...target, body, duplex: 'half' } as RequestInit);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('etag')).toBe(`"${sha256(bytes)}"`);
  });

  test('leave nothing of an interrupted upload', async () => {
    const fileId = newFileId();
    const { url, method, headers } = await storage.presignUpload({
      ...permit(1_000_000, fileId),
      origin: app.origin,
    });
    const sent = request(url, { method, headers: { ...headers, 'content-length': 1_000_000 } });
    sent.on('error', () => {});
    sent.write(randomBytes(300_000));
    await until(async () => (await incoming()).length === 1, 'the transfer has begun');
    sent.destroy();
    await until(async () => (await incoming()).length === 0, 'its part is removed');
    expect(await storage.stat(storageKey('quarantine', fileId))).toBeUndefined();
    expect(app.lines().filter(({ level }) => Number(level) >= 50)).toStrictEqual([]);
  });

  test('end an earlier transfer when the same file is sent again', async () => {
    const fileId = newFileId();
    const bytes = randomBytes(100_000);
    const stalled = new PassThrough();
    stalled.write(bytes.subarray(0, 10));
    const first = storage.receive(permit(bytes.length, fileId), stalled);
    await until(async () => (await incoming()).length === 1, 'the transfer has begun');
    const [outcome] = await Promise.allSettled([first, receive(bytes, fileId)]);
    expect(outcome).toMatchObject({ status: 'rejected', reason: new UploadRefused('broken-off') });
    expect(await storage.stat(storageKey('quarantine', fileId))).toMatchObject({ size: 100_000 });
    expect(await incoming()).toStrictEqual([]);
  });

  test('keep the first of two uploads received by two nodes at the same time', async () => {
    const another = await createLocalStorage({ dir, links });
    const fileId = newFileId();
    const [first, second] = [new PassThrough(), new PassThrough()];
    const outcomes = [storage.receive(permit(1, fileId), first), another.receive(permit(1, fileId), second)];
    await until(async () => (await incoming()).length === 2, 'both transfers have begun');
    first.end('1');
    await outcomes[0];
    second.end('2');
    await expect(outcomes[1]).rejects.toMatchObject({ reason: 'exists' });
    expect(await storage.stat(storageKey('quarantine', fileId))).toMatchObject({
      etag: sha256(Buffer.from('1')),
    });
    expect(await incoming()).toStrictEqual([]);
  });

  test('keep the connection of a refused upload open for the answer', async () => {
    const body = Readable.from([randomBytes(10), randomBytes(10)], { objectMode: false });
    await expect(storage.receive(permit(5), body)).rejects.toMatchObject({ reason: 'wrong-size' });
    expect(body.destroyed).toBe(false);
  });

  test('are cleaned of incomplete uploads from a crash, at the next start and with old files', async () => {
    const leaveHalf = async () => {
      const half = join(dir, 'incoming', newFileId());
      await writeFile(half, 'half');
      await utimes(half, new Date(0), new Date(Date.now() - 3_600_000));
    };
    await leaveHalf();
    await createLocalStorage({ dir, links });
    expect(await incoming()).toStrictEqual([]);
    await leaveHalf();
    expect(await storage.removeOlderThan('quarantine', new Date(Date.now() - 60_000))).toBe(0);
    expect(await incoming()).toStrictEqual([]);
  });

  test('are not cleaned of uploads that another node is receiving', async () => {
    const half = join(dir, 'incoming', newFileId());
    await writeFile(half, 'half');
    await createLocalStorage({ dir, links });
    expect(await incoming()).toHaveLength(1);
    await rm(half);
  });

  test('report a missing folder', async () => {
    const { etag } = await receive(Buffer.from('bytes'));
    await rename(dir, `${dir}-elsewhere`);
    expect(await storage.failure()).toContain('ENOENT');
    await expect(storage.put(storageKey('clean', newFileId()), Buffer.from('x'), 'x')).rejects.toThrow(
      StorageUnavailable,
    );
    const target = await storage.presignUpload({ ...permit(5), origin: app.origin });
    expect((await upload(target, Buffer.from('bytes'))).status).toBe(503);
    await rename(`${dir}-elsewhere`, dir);
    expect(await storage.failure()).toBeUndefined();
    expect(etag).toHaveLength(64);
  });
});
