import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { DomainEvent } from '../../../src/events/domain-event.ts';
import { FileId } from '../../../src/events/ids.ts';
import { signReport } from '../../../src/files/inspect/scan-report.ts';
import { StorageUnavailable } from '../../../src/files/storage.ts';
import type { ScanReportRoutes } from '../../../src/http/routes/scan-reports.ts';
import { createNonces } from '../../../src/adapters/postgres/tables/scan-reports.ts';
import { type TestDatabase, createTestDatabase } from '../../support/stages/database.ts';
import { aboutFile, event, fileId, upload, uuid } from '../../support/language/example-events.ts';
import { localStore } from '../../support/servers/local-store.ts';
import { SCAN_SECRET, scanReportApp } from '../../support/stages/scan-report-app.ts';

const bytes = Buffer.from('%PDF-1.7 a CV');
const requested = event('FileUploadRequested', { ...aboutFile, ...upload, size: bytes.length });
const finding = { verdict: 'cleared', sha256: 'ab'.repeat(32) } as const;
const infected = { verdict: 'refused', reason: 'infected', signature: 'Eicar-Test' } as const;
const key = `quarantine/${fileId}`;

let database: TestDatabase;
let pool: pg.Pool;
let files: Awaited<ReturnType<typeof localStore>>;
let etag: string;
beforeAll(async () => {
  database = await createTestDatabase();
  pool = new pg.Pool({ connectionString: database.url });
});
beforeEach(async () => {
  files = await localStore();
  etag = await files.arrive(fileId, bytes);
});
afterEach(() => files.remove());
afterAll(async () => {
  await pool.end();
  await database.drop();
});

/** The routes alone, over a log in memory and real stores of files and nonces. */
async function server(
  history: DomainEvent[] = [requested],
  overrides: Partial<Omit<ScanReportRoutes, 'storage'>> = {},
) {
  const { app, ...stage } = await scanReportApp({
    history,
    storage: files.storage,
    nonces: createNonces(pool),
    ...overrides,
  });
  const post = async (path: string, text: string, headers: Record<string, string>) => {
    const answer = await app.inject({
      method: 'POST',
      url: path,
      payload: text,
      headers: { 'content-type': 'application/json', ...headers },
    });
    const code = answer.body && (answer.json() as { code?: string }).code;
    return { status: answer.statusCode, body: answer.body && answer.json(), code };
  };
  return {
    ...stage,
    post,
    /** Sends a correctly signed request. */
    ask: (path: string, body: unknown) => {
      const text = JSON.stringify(body);
      return post(path, text, sign(text));
    },
  };
}

const sign = (text: string, at = Date.now()) =>
  signReport(SCAN_SECRET, text, {
    timestamp: Math.floor(at / 1_000),
    nonce: randomBytes(16).toString('base64url'),
  });
const REPORTS = '/internal/scan-reports';
const ORDERS = '/internal/scan-orders';

describe('a report of an external scanner', () => {
  test('settles the file, and gets the same answer when repeated', async () => {
    const { ask, types } = await server([requested, event('FileUploaded', { ...aboutFile, etag })]);
    expect(await ask(REPORTS, { key, etag, finding })).toMatchObject({ status: 204 });
    expect(await files.bytesOf('clean', fileId)).toEqual(bytes);
    expect(await ask(REPORTS, { key, etag, finding })).toMatchObject({ status: 204 });
    expect(await types()).toEqual(['FileUploadRequested', 'FileUploaded', 'FileCleared']);
  });

  test('completes an upload that its uploader has not completed', async () => {
    const { ask, types } = await server();
    expect(await ask(REPORTS, { key, etag, finding: infected })).toMatchObject({ status: 204 });
    expect(await types()).toEqual(['FileUploadRequested', 'FileUploaded', 'FileRefused']);
  });

  test.each([
    ['pending', [requested]],
    ['completed', [requested, event('FileUploaded', { ...aboutFile, etag: 'another' })]],
  ])('about other bytes than those of a %s file has no effect', async (_, history) => {
    const { ask, types } = await server(history);
    const answer = await ask(REPORTS, { key, etag: 'others', finding });
    expect(answer).toMatchObject({ status: 409, code: 'FILE_NOT_UPLOADED' });
    expect(await types()).toHaveLength(history.length);
  });

  test('about bytes that have changed since refuses the file', async () => {
    const { ask, log } = await server([requested, event('FileUploaded', { ...aboutFile, etag })]);
    await files.storage.put(`quarantine/${fileId}`, Buffer.from('others'), 'text/plain');
    await ask(REPORTS, { key, etag, finding });
    expect((await log()).at(-1)).toMatchObject({ type: 'FileRefused', data: { reason: 'wrong-sha256' } });
  });

  test('about an unknown file is answered with 404', async () => {
    const { ask } = await server();
    const unknown = `quarantine/${FileId.parse(uuid(0x99))}`;
    expect(await ask(REPORTS, { key: unknown, etag, finding })).toMatchObject({
      status: 404,
      code: 'FILE_NOT_FOUND',
    });
  });

  test('that cannot be processed now can be sent again', async () => {
    let isDown = true;
    const { ask, types } = await server([requested, event('FileUploaded', { ...aboutFile, etag })], {
      applyFinding: async () => {
        if (isDown) throw new StorageUnavailable('down');
      },
    });
    expect((await ask(REPORTS, { key, etag, finding })).status).toBeGreaterThanOrEqual(500);
    isDown = false;
    expect(await ask(REPORTS, { key, etag, finding })).toMatchObject({ status: 204 });
    expect(await types()).toHaveLength(2);
  });
});

describe('the signature of a report', () => {
  const text = JSON.stringify({ key: `quarantine/${fileId}`, etag: 'e', finding });

  test.each([
    ['missing', {}],
    ['of another body', sign(`${text} `)],
    ['too old', sign(text, Date.now() - 400_000)],
    ['too far in the future', sign(text, Date.now() + 400_000)],
    [
      'made with another secret',
      signReport('x'.repeat(32), text, { timestamp: Math.floor(Date.now() / 1_000), nonce: 'A'.repeat(22) }),
    ],
  ])('is refused when it is %s, and the file is unchanged', async (_, headers) => {
    const { post, types } = await server();
    expect(await post(REPORTS, text, headers)).toMatchObject({ status: 403, code: 'FORBIDDEN' });
    expect(await types()).toEqual(['FileUploadRequested']);
  });

  test('is valid for one request, across all nodes', async () => {
    const body = JSON.stringify({ key, etag, finding });
    const headers = sign(body);
    const [one, other] = [await server(), await server()];
    expect(await one.post(REPORTS, body, headers)).toMatchObject({ status: 204 });
    expect(await one.post(REPORTS, body, headers)).toMatchObject({ status: 403 });
    expect(await other.post(REPORTS, body, headers)).toMatchObject({ status: 403 });
    expect(await other.types()).toEqual(['FileUploadRequested']);
  });

  test('covers the bytes as sent, not their meaning', async () => {
    const { post } = await server();
    const spaced = JSON.stringify({ key, etag, finding }, null, 2);
    expect(await post(REPORTS, spaced, sign(JSON.stringify({ key, etag, finding })))).toMatchObject({
      status: 403,
    });
    expect(await post(REPORTS, spaced, sign(spaced))).toMatchObject({ status: 204 });
  });

  test('is checked before the body', async () => {
    const { post } = await server();
    expect(await post(REPORTS, '{"not', sign('{"something else'))).toMatchObject({ status: 403 });
    expect(await post(REPORTS, '{"not', sign('{"not'))).toMatchObject({ status: 400, code: 'BAD_REQUEST' });
    expect(await post(REPORTS, '', sign(''))).toMatchObject({ status: 400 });
  });

  test.each([{ key: `clean/${fileId}` }, { more: 1 }, { finding: { verdict: 'clean' } }])(
    'does not make a report of %j',
    async (changes) => {
      const { ask } = await server();
      const answer = await ask(REPORTS, { key, etag, finding, ...changes });
      expect(answer).toMatchObject({ status: 400, code: 'BAD_REQUEST' });
    },
  );
});

describe('an order of an external scanner', () => {
  test('returns what the uploader declared, and completes the upload', async () => {
    const { ask, types } = await server();
    expect(await ask(ORDERS, { key, etag })).toMatchObject({
      status: 200,
      body: { size: bytes.length, contentType: 'application/pdf', sha256: null },
    });
    expect(await types()).toEqual(['FileUploadRequested', 'FileUploaded']);
  });

  test('returns nothing when the file is already settled', async () => {
    const { ask } = await server();
    await ask(REPORTS, { key, etag, finding });
    expect(await ask(ORDERS, { key, etag })).toMatchObject({ status: 204 });
  });

  test('requires a signature', async () => {
    const { post } = await server();
    const text = JSON.stringify({ key, etag });
    expect(await post(ORDERS, text, {})).toMatchObject({ status: 403 });
  });
});
