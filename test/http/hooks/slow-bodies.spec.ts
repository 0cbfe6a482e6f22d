import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createSignedLinks } from '../../../src/auth/tokens/signed-links.ts';
import { FileId } from '../../../src/events/ids.ts';
import { createLocalStorage } from '../../../src/adapters/disk/storage.ts';
import { uuid } from '../../support/language/example-events.ts';
import { httpStage } from '../../support/stages/http-stage.ts';

/** At one byte a second, longer than the server waits for the body of any other request. */
const UPLOAD_BYTES = 17;

describe('a slow body', () => {
  let dir: string;
  let origin: string;
  let stage: Awaited<ReturnType<typeof httpStage>>;
  let storage: Awaited<ReturnType<typeof createLocalStorage>>;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'slow-'));
    const links = createSignedLinks(() => [Buffer.alloc(32, 1)]);
    storage = await createLocalStorage({ dir, links });
    stage = await httpStage({ storage, links, receiver: storage });
    await stage.app.listen({ host: '127.0.0.1', port: 0 });
    origin = `http://127.0.0.1:${(stage.app.server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    stage.app.server.closeAllConnections();
    await stage.close();
    await rm(dir, { recursive: true });
  });

  /** Uploads one byte a second. Returns the status. */
  async function uploadSlowly(): Promise<number | undefined> {
    const { url, method, headers } = await storage.presignUpload({
      fileId: FileId.parse(uuid(1)),
      contentType: 'image/png',
      size: UPLOAD_BYTES,
      sha256: null,
      origin,
    });
    return new Promise((resolve, reject) => {
      const sent = request(
        url,
        { method, headers: { ...headers, 'content-length': UPLOAD_BYTES } },
        (response) => resolve(response.resume().statusCode),
      ).on('error', reject);
      let left = UPLOAD_BYTES;
      const timer = setInterval(() => {
        sent.write('x');
        left -= 1;
        if (left > 0) return;
        clearInterval(timer);
        sent.end();
      }, 1_000);
    });
  }

  /** Sends half a body. Returns the answer and the milliseconds until the connection ends. */
  async function sendHalf(): Promise<[answer: string, ms: number]> {
    const began = performance.now();
    const socket = connect(Number(new URL(origin).port), '127.0.0.1');
    const head = 'POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
    socket.write(`${head}Content-Length: 10\r\n\r\n{"`);
    const answer = await text(socket);
    return [answer, performance.now() - began];
  }

  test('is awaited for 15 s, or longer for an upload', async () => {
    let isUploaded = false;
    const uploading = uploadSlowly().finally(() => (isUploaded = true));
    const [answer, ms] = await sendHalf();
    expect(answer).toMatch(/^HTTP\/1\.1 503 .*"UNAVAILABLE"/s);
    expect(ms).toBeGreaterThan(14_000);
    // The upload takes 17 s.
    expect(isUploaded).toBe(false);
    expect(await uploading).toBe(200);
  });

  test('has limits on the time of the head and of the whole request', () => {
    const { headersTimeout, requestTimeout } = stage.app.server;
    expect([headersTimeout, requestTimeout]).toStrictEqual([15_000, 300_000]);
  });
});
