import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { ObjectChanged, StorageUnavailable, storageKey } from '../../../src/files/storage.ts';
import { createS3Storage } from '../../../src/adapters/s3/storage.ts';
import { type S3Server, startS3Server } from '../../support/servers/s3-server.ts';
import { describeStorage, newFileId, upload } from '../../files/storage-contract.ts';

const ORIGIN = 'http://127.0.0.1';
const idleMs = 200;

describe('files in S3', () => {
  let server: S3Server;
  let storage: ReturnType<typeof createS3Storage>;
  const at = (settings: Partial<Parameters<typeof createS3Storage>[0]> = {}) =>
    createS3Storage(
      {
        bucket: 'the-files',
        region: 'us-east-1',
        endpoint: server.endpoint,
        publicEndpoint: undefined,
        pathStyle: true,
        ...settings,
      },
      { credentials: server.credentials, idleMs, callMs: 2_000 },
    );
  beforeAll(async () => {
    server = await startS3Server({ bucket: 'the-files', pageSize: 3 });
    storage = at();
  });
  beforeEach(() => server.heal());
  afterAll(async () => {
    storage.close();
    await server.stop();
  });

  describeStorage(() => ({ storage, origin: ORIGIN, passTime: server.passTime }));

  const stored = async (bytes: Buffer) => {
    const key = storageKey('clean', newFileId());
    await storage.put(key, bytes, 'image/png');
    return key;
  };
  const presign = (from: typeof storage, fileId = newFileId()) =>
    from.presignUpload({ fileId, contentType: 'image/png', size: 5, sha256: null, origin: ORIGIN });

  test('are uploaded to URLs signed for the address that clients use', async () => {
    const elsewhere = at({ publicEndpoint: `http://localhost:${server.port}` });
    const target = await presign(elsewhere);
    expect(new URL(target.url).host).toBe(`localhost:${server.port}`);
    expect((await upload(target, Buffer.from('bytes'))).status).toBe(200);
    elsewhere.close();
  });

  test('are uploaded to URLs with the bucket in the host name when configured', async () => {
    const byHost = at({ endpoint: `http://localhost:${server.port}`, pathStyle: false });
    const fileId = newFileId();
    const { url, method, headers } = await presign(byHost, fileId);
    const { hostname, host, pathname, search } = new URL(url);
    expect(hostname).toBe('the-files.localhost');
    // The name may not resolve on every machine.
    const status = await new Promise((resolve, reject) => {
      const sent = { method, port: server.port, path: pathname + search, headers: { ...headers, host } };
      request('http://127.0.0.1', sent, ({ statusCode }) => resolve(statusCode))
        .on('error', reject)
        .end('bytes');
    });
    expect(status).toBe(200);
    expect(server.objects().get(`quarantine/${fileId}`)?.contentType).toBe('image/png');
    byHost.close();
  });

  test('are uploaded with the length, the type, the condition and the checksum as signed headers, not in the URL', async () => {
    const { url } = await storage.presignUpload({
      fileId: newFileId(),
      contentType: 'image/png',
      size: 5,
      sha256: 'a'.repeat(64),
      origin: ORIGIN,
    });
    const { searchParams } = new URL(url);
    expect(searchParams.get('X-Amz-SignedHeaders')).toBe(
      'content-length;content-type;host;if-none-match;x-amz-checksum-sha256',
    );
    expect(searchParams.get('X-Amz-Expires')).toBe('300');
    expect(url.toLowerCase()).not.toContain('checksum-crc32');
    expect([...searchParams.keys()].filter((name) => /^x-amz-checksum/i.test(name))).toStrictEqual([]);
  });

  test('are listed over several pages', async () => {
    for (let n = 0; n < 8; n += 1)
      await storage.put(storageKey('thumbnails', newFileId()), Buffer.from('x'), 'image/webp');
    expect(await storage.removeOlderThan('thumbnails', new Date(Date.now() + 60_000))).toBeGreaterThanOrEqual(
      8,
    );
    expect([...server.objects().keys()].filter((key) => key.startsWith('thumbnails/'))).toStrictEqual([]);
  });

  test('are retried a limited number of times when S3 answers 500', async () => {
    const key = await stored(Buffer.from('bytes'));
    server.fail(500, 2);
    expect(await storage.stat(key)).toMatchObject({ size: 5 });
    server.fail(500);
    const before = server.asked();
    await expect(storage.stat(key)).rejects.toThrow(StorageUnavailable);
    expect(server.asked() - before).toBe(3);
    await expect(storage.read(key)).rejects.toThrow(StorageUnavailable);
    await expect(storage.copy(key, key, { etag: 'x' })).rejects.toThrow(StorageUnavailable);
    await expect(storage.put(key, Buffer.from('other'), 'image/png')).rejects.toThrow(StorageUnavailable);
    await expect(storage.remove([key])).rejects.toThrow(StorageUnavailable);
    await expect(storage.removeOlderThan('clean', new Date())).rejects.toThrow(StorageUnavailable);
    expect(await storage.failure()).toContain('500');
  });

  test('are not considered missing when access is refused', async () => {
    const key = await stored(Buffer.from('bytes'));
    server.fail(403);
    await expect(storage.stat(key)).rejects.toThrow(StorageUnavailable);
  });

  test('are unavailable when answers do not arrive', async () => {
    const key = await stored(Buffer.from('bytes'));
    // Longer than the test's timeout.
    server.slow(600_000);
    await expect(storage.stat(key)).rejects.toThrow(StorageUnavailable);
    expect(await storage.failure()).toBeDefined();
  });

  test.each([
    ['with a wrong checksum', () => server.wrongChecksum()],
    ['that are cut short', () => server.truncate()],
    ['that stop in the middle', () => server.stall()],
  ])('fail to read when the server sends bytes %s', async (_what, breakIt) => {
    for (const size of [1_000, 1_000_000]) {
      const key = await stored(randomBytes(size));
      breakIt();
      const { body } = await storage.read(key);
      const received: Buffer[] = [];
      const reading = async () => {
        for await (const chunk of body as AsyncIterable<Buffer>) received.push(chunk);
      };
      await expect(reading()).rejects.toThrow(StorageUnavailable);
      expect(Buffer.concat(received).length).toBeLessThan(size);
      server.heal();
      expect(await buffer((await storage.read(key)).body)).toHaveLength(size);
    }
  });

  test('are refused when a server ignores the requested version', async () => {
    const key = await stored(Buffer.from('bytes'));
    const version = (await storage.stat(key))!;
    await storage.put(key, Buffer.from('other'), 'image/png');
    server.ignoreConditions();
    await expect(storage.read(key, version)).rejects.toThrow(ObjectChanged);
  });

  test('are unavailable when no server listens or the bucket does not exist', async () => {
    const nowhere = at({ endpoint: 'http://127.0.0.1:1' });
    const noBucket = at({ bucket: 'no-such-bucket' });
    for (const broken of [nowhere, noBucket]) {
      await expect(broken.read(storageKey('clean', newFileId()))).rejects.toThrow(StorageUnavailable);
      expect(await broken.failure()).toBeDefined();
      broken.close();
    }
  });
});
