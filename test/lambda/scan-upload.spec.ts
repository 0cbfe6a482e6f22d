import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { FileId } from '../../src/events/ids.ts';
import { createS3Storage } from '../../src/adapters/s3/storage.ts';
import { type Clamd, startClamd } from '../support/servers/clamd.ts';
import { eicar, honestFiles, pdf, zip } from '../support/files/corpus.ts';
import { aboutFile, event, upload, uuid } from '../support/language/example-events.ts';
import { type S3Server, startS3Server } from '../support/servers/s3-server.ts';
import { SCAN_SECRET, scanReportApp } from '../support/stages/scan-report-app.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));
const BUCKET = 'uploads';

let folder: string;
let bundle: string;
let clamd: Clamd;
let s3: S3Server;
let storage: ReturnType<typeof createS3Storage>;
let files = 0;
const servers: { close(): PromiseLike<unknown> }[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lambda-'));
  bundle = join(folder, 'handler.mjs');
  s3 = await startS3Server({ bucket: BUCKET });
  const settings = { bucket: BUCKET, endpoint: s3.endpoint, region: 'us-east-1', pathStyle: true };
  storage = createS3Storage({ ...settings, publicEndpoint: undefined }, { credentials: s3.credentials });
  [clamd] = await Promise.all([
    startClamd(),
    run(process.execPath, [join(root, 'lambda/scan-upload/build.ts'), folder]),
  ]);
});
afterEach(async () => {
  s3.heal();
  await Promise.all(servers.splice(0).map((each) => each.close()));
});
afterAll(async () => {
  storage.close();
  await Promise.all([clamd.stop(), s3.stop(), rm(folder, { recursive: true })]);
});

/** Uploads to the bucket by a presigned URL, with the server that requested it. */
async function uploaded(
  bytes: Buffer<ArrayBuffer> | Buffer,
  declared: { contentType?: string; size?: number } = {},
) {
  const fileId = FileId.parse(uuid(0x7000 + (files += 1)));
  const contentType = declared.contentType ?? 'application/pdf';
  const target = await storage.presignUpload({
    fileId,
    contentType,
    size: bytes.length,
    sha256: null,
    origin: '',
  });
  const { method, url, headers } = target;
  const put = await fetch(url, { method, headers, body: new Uint8Array(bytes) });
  if (!put.ok) throw new Error(await put.text());
  const spent = new Set<string>();
  const nonces = { spend: async (nonce: string) => !spent.has(nonce) && !!spent.add(nonce) };
  const about = { ...aboutFile, fileId };
  const size = declared.size ?? bytes.length;
  const history = [event('FileUploadRequested', { ...about, ...upload, contentType, size })];
  let failuresLeft = 0;
  const server = await scanReportApp({ history, storage, nonces });
  server.app.addHook('onRequest', async (_, reply) => {
    if (failuresLeft-- > 0) await reply.code(503).send();
  });
  await server.app.listen({ host: '127.0.0.1', port: 0 });
  servers.push(server.app);
  const { port } = server.app.server.address() as AddressInfo;
  const { etag } = (await storage.stat(`quarantine/${fileId}`))!;
  return {
    ...server,
    fileId,
    serverUrl: `http://127.0.0.1:${port}`,
    failNext: (times: number) => void (failuresLeft = times),
    /** The notification of S3. */
    event: {
      Records: [
        {
          eventName: 'ObjectCreated:Put',
          s3: {
            bucket: { name: BUCKET },
            object: { key: `quarantine/${fileId}`, size: bytes.length, eTag: etag },
          },
        },
      ],
    },
    decision: async () =>
      (await server.log()).find(({ type }) => type === 'FileCleared' || type === 'FileRefused'),
  };
}

/** Invokes the built function in a process of its own, as Lambda does. Rejects when the function does. */
async function invoke(
  { serverUrl, event: asked }: { serverUrl: string; event: unknown },
  env: Record<string, string> = {},
): Promise<void> {
  const script = `
    const { handler } = await import(process.argv[1]);
    await handler(JSON.parse(process.argv[2]), { getRemainingTimeInMillis: () => Number(process.argv[3]) });
    process.exit(0);`;
  const args = [
    '--input-type=module',
    '-e',
    script,
    bundle,
    JSON.stringify(asked),
    env['REMAINING_MS'] ?? '60000',
  ];
  await run(process.execPath, args, {
    timeout: 25_000,
    env: {
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: s3.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: s3.credentials.secretAccessKey,
      S3_ENDPOINT: s3.endpoint,
      S3_PATH_STYLE: 'true',
      S3_BUCKET: BUCKET,
      SERVER_URL: serverUrl,
      SCAN_WEBHOOK_SECRET: SCAN_SECRET,
      CLAMD_URL: clamd.url,
      ...env,
    },
  });
}

describe('the scanner on AWS Lambda', () => {
  test('clears an honest file whose upload is not completed yet', async () => {
    const file = await uploaded(pdf());
    await invoke(file);
    expect(await file.types()).toEqual(['FileUploadRequested', 'FileUploaded', 'FileCleared']);
    expect(await storage.stat(`clean/${file.fileId}`)).toMatchObject({ size: pdf().length });
  });

  test('clears what the server’s own inspection clears', async () => {
    for (const { bytes, contentType } of (await honestFiles()).slice(0, 4)) {
      const file = await uploaded(bytes, { contentType });
      await invoke(file);
      expect(await file.decision()).toMatchObject({ type: 'FileCleared' });
    }
  });

  test('determines the type of a file of unknown type', async () => {
    const file = await uploaded(pdf(), { contentType: 'application/octet-stream' });
    await invoke(file);
    const data = { contentType: 'application/pdf', name: upload.name };
    expect(await file.decision()).toMatchObject({ type: 'FileCleared', data });
  });

  test('finds a virus in an archive', async () => {
    const file = await uploaded(await zip({ 'cv.txt': eicar() }), { contentType: 'application/zip' });
    await invoke(file);
    expect(await file.decision()).toMatchObject({
      type: 'FileRefused',
      data: { reason: 'infected', signature: 'Eicar-Test.UNOFFICIAL' },
    });
    expect(await storage.stat(`clean/${file.fileId}`)).toBeUndefined();
  });

  test('refuses what it cannot inspect', async () => {
    const encrypted = await zip({ 'cv.txt': eicar() }, { password: 'secret', zipCrypto: true });
    const file = await uploaded(encrypted, { contentType: 'application/zip' });
    await invoke(file);
    expect(await file.decision()).toMatchObject({ data: { reason: 'encrypted' } });
  });

  test.each([
    ['size', { size: 17 }, 'wrong-size'],
    ['type', { contentType: 'image/png' }, 'type-does-not-match'],
  ])('compares the file with the %s declared to the server', async (_, declared, reason) => {
    const file = await uploaded(pdf(), declared);
    await invoke(file);
    expect(await file.decision()).toMatchObject({ data: { reason } });
  });

  test('decides once when invoked twice for one object', async () => {
    const file = await uploaded(pdf());
    await Promise.all([invoke(file), invoke(file)]);
    await invoke(file);
    expect(await file.types()).toEqual(['FileUploadRequested', 'FileUploaded', 'FileCleared']);
  });

  test('retries while the server or the storage is unavailable', async () => {
    const file = await uploaded(pdf());
    file.failNext(2);
    s3.fail(500, 1);
    await invoke(file);
    expect(await file.decision()).toMatchObject({ type: 'FileCleared' });
  });

  test('waits for a clamd that is still loading', async () => {
    const file = await uploaded(pdf());
    await clamd.kill();
    const [invoked] = await Promise.all([
      invoke(file),
      new Promise((resolve) => setTimeout(resolve, 500)).then(() => clamd.restart()),
    ]);
    expect(invoked).toBeUndefined();
    expect(await file.decision()).toMatchObject({ type: 'FileCleared' });
  });

  test.each([
    ['clamd is unreachable', { CLAMD_URL: 'tcp://127.0.0.1:1', REMAINING_MS: '22000' }],
    ['its secret differs', { SCAN_WEBHOOK_SECRET: 'another secret of 32 characters …' }],
  ])('fails, so that Lambda retries, when %s', async (_, env) => {
    const file = await uploaded(pdf());
    await expect(invoke(file, env)).rejects.toThrow();
    expect(await file.decision()).toBeUndefined();
  });

  test('does not trust a clamd that hides its limits', async () => {
    const careless = await startClamd({ settings: { AlertExceedsMax: 'no' } });
    const file = await uploaded(pdf());
    await expect(invoke(file, { CLAMD_URL: careless.url, REMAINING_MS: '22000' })).rejects.toThrow();
    await careless.stop();
    expect(await file.decision()).toBeUndefined();
  });

  test('ignores foreign objects', async () => {
    const file = await uploaded(pdf());
    const object = file.event.Records[0]!.s3.object;
    const records = [
      { s3: { bucket: { name: 'another' }, object } },
      { s3: { bucket: { name: BUCKET }, object: { ...object, key: `clean/${file.fileId}` } } },
      { s3: { bucket: { name: BUCKET }, object: { ...object, key: 'quarantine/..%2Fclean' } } },
      { s3: { bucket: { name: BUCKET }, object: { ...object, key: `quarantine/${uuid(0x7fff)}` } } },
    ];
    await invoke({ ...file, event: { Records: records } });
    expect(await file.types()).toEqual(['FileUploadRequested']);
  });

  test('has a clamd with the settings that the scanner requires', async () => {
    const config = await readFile(join(root, 'lambda/scan-upload/clamd.conf'), 'utf8');
    const its = Object.fromEntries(
      config
        .split('\n')
        .flatMap((line) => (/^\w/.test(line) ? [line.split(' ', 2) as [string, string]] : [])),
    );
    const { DatabaseDirectory: _, TemporaryDirectory: __, LocalSocket: ___, ...settings } = its;
    await clamd.kill();
    await clamd.restart({ AlertExceedsMax: 'no', AlertEncrypted: 'no', ...settings });
    const file = await uploaded(pdf());
    await invoke(file);
    expect(await file.decision()).toMatchObject({ type: 'FileCleared' });
  });
});
