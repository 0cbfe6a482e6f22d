import dns from 'node:dns';
import { buffer } from 'node:stream/consumers';
import { StorageUnavailable, storageKey } from '../../../src/files/storage.ts';
import { openS3Storage } from '../../../src/adapters/s3/open-storage.ts';
import { linesOf } from '../../support/log-lines.ts';
import { type Lacks, type S3Server, startS3Server } from '../../support/servers/s3-server.ts';
import { until } from '../../../tools/until.ts';
import { describeStorage, newFileId, upload } from '../../files/storage-contract.ts';

const ORIGIN = 'http://127.0.0.1';
const bucket = 'the-files';

const SERVERS: [
  title: string,
  lacks: Lacks,
  found: { keepsFirst: boolean; checksSha256: boolean; copiesVersion: boolean },
][] = [
  ['does all that Amazon does', {}, { keepsFirst: true, checksSha256: true, copiesVersion: true }],
  [
    'answers 501 to conditional uploads',
    { 'if-none-match': 501 },
    { keepsFirst: false, checksSha256: true, copiesVersion: true },
  ],
  [
    'answers 400 to conditional uploads',
    { 'if-none-match': 400 },
    { keepsFirst: false, checksSha256: true, copiesVersion: true },
  ],
  [
    'overwrites all the same',
    { 'if-none-match': 'ignored' },
    { keepsFirst: false, checksSha256: true, copiesVersion: true },
  ],
  [
    'answers 400 to a SHA-256',
    { 'x-amz-checksum-sha256': 400 },
    { keepsFirst: true, checksSha256: false, copiesVersion: true },
  ],
  [
    'looks at no SHA-256',
    { 'x-amz-checksum-sha256': 'ignored' },
    { keepsFirst: true, checksSha256: false, copiesVersion: true },
  ],
  [
    'does none of it',
    { 'if-none-match': 501, 'x-amz-checksum-sha256': 'ignored', 'x-amz-copy-source-if-match': 501 },
    { keepsFirst: false, checksSha256: false, copiesVersion: false },
  ],
  [
    'ignores all conditions',
    {
      'if-none-match': 'ignored',
      'x-amz-checksum-sha256': 'ignored',
      'x-amz-copy-source-if-match': 'ignored',
    },
    { keepsFirst: false, checksSha256: false, copiesVersion: false },
  ],
];

const openAt = (server: S3Server, log = linesOf('info').log, settings: { endpoint?: string } = {}) =>
  openS3Storage(
    {
      ...{ bucket, region: 'us-east-1', publicEndpoint: undefined, pathStyle: undefined },
      endpoint: settings.endpoint ?? server.endpoint,
    },
    { log, credentials: server.credentials, firstPauseMs: 20 },
  );

describe.each(SERVERS)('an S3 server that %s', (_, lacks, found) => {
  const { log, lines } = linesOf('info');
  let server: S3Server;
  let storage: Awaited<ReturnType<typeof openS3Storage>>;
  beforeAll(async () => {
    server = await startS3Server({ bucket, pageSize: 3, lacks });
    storage = await openAt(server, log);
  });
  afterAll(async () => {
    storage.close();
    await server.stop();
  });

  test('is probed before the first upload, with its missing features reported and no trace left', () => {
    const told = lines();
    expect(told.at(-1)).toMatchObject({ level: 30, pathStyle: true, ...found });
    const missing = Object.values(found).filter((can) => !can).length;
    expect(told.filter(({ level }) => level === 40)).toHaveLength(missing);
    expect([...server.objects().keys()]).toEqual([]);
  });

  describeStorage(() => ({ storage, origin: ORIGIN, passTime: server.passTime }), found);
});

describe('an S3 server', () => {
  const presign = (storage: Awaited<ReturnType<typeof openAt>>, fileId = newFileId()) =>
    storage.presignUpload({ fileId, contentType: 'text/plain', size: 5, sha256: null, origin: ORIGIN });
  const opened: { close(): unknown }[] = [];
  const opening = async <T extends { close(): unknown }>(resource: Promise<T>): Promise<T> => {
    const it = await resource;
    opened.push(it);
    return it;
  };
  const starting = async (options: Partial<Parameters<typeof startS3Server>[0]> = {}) => {
    const server = await startS3Server({ bucket, ...options });
    opened.push({ close: () => server.stop() });
    return server;
  };
  afterEach(async () => {
    for (const each of opened.splice(0).toReversed()) await each.close();
  });

  test('that is unreachable at the start is probed again, and uploads are accepted meanwhile', async () => {
    const server = await starting();
    server.fail(503);
    const { log, lines } = linesOf('info');
    const storage = await opening(openAt(server, log));
    expect(lines()[0]).toMatchObject({ level: 40, msg: expect.stringContaining('asking again') });
    const [first, second] = [await presign(storage), newFileId()];
    expect(first.headers).not.toHaveProperty('if-none-match');
    server.heal();
    expect((await upload(first, Buffer.from('bytes'))).status).toBe(200);
    await until(() => lines().some(({ keepsFirst }) => keepsFirst === true), 'the server to be probed');
    expect((await presign(storage, second)).headers).toHaveProperty('if-none-match', '*');
  });

  test('that was probed after a URL was signed still seals the upload to that URL', async () => {
    const server = await starting();
    server.fail(503);
    const { log, lines } = linesOf('info');
    const storage = await opening(openAt(server, log));
    const fileId = newFileId();
    const target = await presign(storage, fileId);
    server.heal();
    await until(() => lines().some(({ keepsFirst }) => keepsFirst === true), 'the server to be probed');
    await upload(target, Buffer.from('bytes'));
    expect(await storage.seal(fileId)).toMatchObject({ size: 5 });
    expect(await storage.stat(storageKey('quarantine', fileId))).toMatchObject({ size: 5 });
  });

  test('is not considered limited because of wrong keys', async () => {
    const server = await starting();
    const { log, lines } = linesOf('info');
    const refused = { ...server, credentials: { ...server.credentials, secretAccessKey: 'another' } };
    await opening(openAt(refused, log));
    expect(lines()[0]!['msg']).toContain('asking again');
  });

  test('that overwrites objects keeps a file as it was when completed, despite later uploads', async () => {
    const server = await starting({ lacks: { 'if-none-match': 501 } });
    const storage = await opening(openAt(server));
    const fileId = newFileId();
    const target = await presign(storage, fileId);
    await upload(target, Buffer.from('wrong'));
    await upload(target, Buffer.from('right'));
    const sealed = (await storage.seal(fileId))!;
    expect((await upload(target, Buffer.from('later'))).status).toBe(200);
    const key = storageKey('quarantine', fileId);
    expect(String(await buffer((await storage.read(key, sealed)).body))).toBe('right');
    expect(await storage.seal(fileId)).toEqual(sealed);
    await storage.copy(key, storageKey('clean', fileId), sealed);
    await storage.remove([key]);
    expect([...server.objects().keys()]).toEqual([`clean/${fileId}`]);
  });

  test('that requires the bucket in the host name is detected', async () => {
    // RFC 6761 makes such names resolve, but not every machine complies.
    const { lookup } = dns;
    const local = (...args: unknown[]) =>
      (lookup as (...all: unknown[]) => void)(
        ...args.map((arg) => (typeof arg === 'string' && arg.endsWith('.localhost') ? '127.0.0.1' : arg)),
      );
    dns.lookup = local as typeof lookup;
    try {
      const server = await starting({ styles: ['host'] });
      const { log, lines } = linesOf('info');
      const endpoint = `http://localhost:${server.port}`;
      const storage = await opening(openAt(server, log, { endpoint }));
      expect(lines().at(-1)).toMatchObject({ pathStyle: false, keepsFirst: true });
      const fileId = newFileId();
      const target = await presign(storage, fileId);
      expect(new URL(target.url).hostname).toBe(`${bucket}.localhost`);
      expect((await upload(target, Buffer.from('bytes'))).status).toBe(200);
      expect(await storage.seal(fileId)).toMatchObject({ size: 5 });
    } finally {
      dns.lookup = lookup;
    }
  });

  test('that changes an object during a copy makes no copy', async () => {
    const server = await starting({ lacks: { 'x-amz-copy-source-if-match': 'ignored' } });
    const storage = await opening(openAt(server));
    const [from, to] = [storageKey('quarantine', newFileId()), storageKey('clean', newFileId())];
    await storage.put(from, Buffer.from('bytes'), 'text/plain');
    const version = (await storage.stat(from))!;
    await storage.put(from, Buffer.from('other'), 'text/plain');
    await expect(storage.copy(from, to, version)).rejects.toMatchObject({ name: 'ObjectChanged' });
    expect(await storage.stat(to)).toBeUndefined();
    server.fail(500);
    await expect(storage.seal(newFileId())).rejects.toThrow(StorageUnavailable);
  });
});
