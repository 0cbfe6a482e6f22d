import { createHash } from 'node:crypto';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { type Bucket, type S3Answer, errorAnswer, operate } from './s3-operations.ts';
import { type S3Credentials, S3Error, checkSignature } from './s3-signatures.ts';

interface Faults {
  failures: { status: number; left: number };
  delayMs: number;
  heedsConditions: boolean;
  /** The fault of a body that is read. */
  body: 'whole' | 'flipped' | 'truncated' | 'stalled';
}

/** The features that a server lacks, by their header: it answers with a status, or ignores the header. */
export type Lacks = Partial<
  Record<'if-none-match' | 'x-amz-checksum-sha256' | 'x-amz-copy-source-if-match', number | 'ignored'>
>;

/**
 * A bucket over HTTP, in memory: path style and virtual host, with signatures checked, conditions and
 * checksums honoured unless configured otherwise, and faults on demand, which last until `heal`.
 */
export async function startS3Server({
  bucket: name,
  region = 'us-east-1',
  pageSize = 1_000,
  lacks = {},
  styles = ['path', 'host'],
  objectLock,
}: {
  bucket: string;
  region?: string;
  pageSize?: number;
  lacks?: Lacks;
  /** Where a request may have the bucket name. */
  styles?: readonly ('path' | 'host')[];
  objectLock?: Bucket['objectLock'];
}) {
  const credentials: S3Credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'a secret of the tests' };
  const healthy = (): Faults => ({
    failures: { status: 500, left: 0 },
    delayMs: 0,
    heedsConditions: true,
    body: 'whole',
  });
  let faults = healthy();
  let leapMs = 0;
  let asked = 0;
  const bucket: Bucket = { name, objects: new Map(), now: () => Date.now() + leapMs, pageSize, objectLock };

  async function answer(incoming: IncomingMessage): Promise<S3Answer> {
    const { method = '', url = '' } = incoming;
    const headers = Object.fromEntries(
      Object.entries(incoming.headers).map(([header, value]) => [header, [value].flat().join(',')]),
    );
    const request = { method, url, headers };
    const bytes = await buffer(incoming);
    if (faults.failures.left > 0) {
      faults.failures.left -= 1;
      throw new S3Error(faults.failures.status, 'InternalError');
    }
    const hash = checkSignature(request, credentials, { region, now: bucket.now() });
    if (hash !== undefined && hash !== createHash('sha256').update(bytes).digest('hex'))
      throw new S3Error(400, 'XAmzContentSHA256Mismatch');
    for (const [header, answered] of Object.entries(lacks)) {
      if (headers[header] !== undefined && answered !== 'ignored')
        throw new S3Error(answered, 'NotImplemented');
      delete headers[header];
    }
    if (!faults.heedsConditions) delete headers['if-match'];
    return operate(bucket, request, targetOf(url, headers['host'] ?? ''), bytes);
  }

  /** Returns the path after the bucket, whether that is in the path or in the host name. */
  function targetOf(url: string, host: string): string {
    const path = decodeURIComponent(url.split('?', 1)[0]!).slice(1);
    if (host.startsWith(`${name}.`) && styles.includes('host')) return path;
    const [first, ...rest] = path.split('/');
    if (first !== name || !styles.includes('path')) throw new S3Error(404, 'NoSuchBucket');
    return rest.join('/');
  }

  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    asked += 1;
    const { delayMs, body: fault } = faults;
    const {
      status,
      headers,
      body = '',
    } = await answer(incoming).catch((error: unknown) => {
      if (error instanceof S3Error) return errorAnswer(error);
      throw error;
    });
    if (delayMs > 0) await pause(delayMs, undefined, { ref: false });
    // No copy, since tests measure the memory of this process.
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    const isObject = incoming.method === 'GET' && headers?.['etag'] !== undefined;
    const isSent = incoming.method !== 'HEAD' && status !== 204;
    outgoing.writeHead(status, { ...headers, ...(status !== 204 && { 'content-length': bytes.length }) });
    if (!isSent) outgoing.end();
    else if (!isObject || fault === 'whole') outgoing.end(bytes);
    else if (fault === 'flipped') outgoing.end(flipped(bytes));
    else {
      outgoing.write(bytes.subarray(0, bytes.length / 2));
      if (fault === 'truncated') outgoing.socket?.end();
    }
  }

  // A client that reuses a connection never finds it closed, even on a slow machine.
  const server = createServer({ keepAliveTimeout: 600_000 }, (incoming, outgoing) => {
    serve(incoming, outgoing).catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  return {
    port,
    endpoint: `http://127.0.0.1:${port}`,
    credentials,
    objects: () => bucket.objects,
    /** The number of requests so far. */
    asked: () => asked,
    /** Advances the server's clock. */
    passTime: (ms: number) => void (leapMs += ms),
    /** Refuses the next requests. */
    fail: (status: number, times = Infinity) => void (faults.failures = { status, left: times }),
    /** Answers late. */
    slow: (ms: number) => void (faults.delayMs = ms),
    /** Reads the current object, whatever the requested version. */
    ignoreConditions: () => void (faults.heedsConditions = false),
    /** Flips one bit of every object that is read, so that its checksum is wrong. */
    wrongChecksum: () => void (faults.body = 'flipped'),
    /** Ends the connection in the middle of every object that is read. */
    truncate: () => void (faults.body = 'truncated'),
    /** Stalls in the middle of every object that is read. */
    stall: () => void (faults.body = 'stalled'),
    heal: () => void (faults = healthy()),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
export type S3Server = Awaited<ReturnType<typeof startS3Server>>;

function flipped(bytes: Buffer): Buffer {
  const changed = Buffer.from(bytes);
  changed[0] = changed[0]! ^ 1;
  return changed;
}
