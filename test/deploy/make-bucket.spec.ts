import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { ROOT } from '../support/journeys/deployment-files.ts';

interface Asked {
  method: string;
  path: string;
  body: string;
}

/** The bucket operations of S3, without signatures; records the requests. */
async function startBuckets({ refuses }: { refuses?: string } = {}) {
  const asked: Asked[] = [];
  const buckets = new Set<string>();
  const server = createServer((request, response) => {
    const { method = '', url = '' } = request;
    const { pathname, search } = new URL(url, 'http://s3');
    const bucket = pathname.split('/')[1] ?? '';
    void text(request).then((body) => {
      asked.push({ method, path: bucket + search, body });
      if (method === 'PUT' && !search) buckets.add(bucket);
      response.writeHead(method === refuses ? 403 : buckets.has(bucket) ? 200 : 404).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    asked,
    buckets,
    endpoint: `http://127.0.0.1:${port}`,
    stop: () => new Promise((resolve) => server.close(resolve)),
  };
}

function makeBucket(env: Record<string, string>): Promise<{ code: number; out: string; err: string }> {
  const { PATH = '', HOME = '' } = process.env;
  const AWS = { AWS_ACCESS_KEY_ID: 'chat', AWS_SECRET_ACCESS_KEY: 'a secret of the tests' };
  return new Promise((done) =>
    execFile(
      process.execPath,
      ['scripts/make-bucket.ts'],
      { cwd: ROOT, env: { PATH, HOME, ...AWS, S3_BUCKET: 'chat-files', ...env } },
      (error, out, err) => done({ code: error ? Number(error.code) : 0, out, err }),
    ),
  );
}

test('Creates the bucket, and allows uploads from the pages that may use the server', async () => {
  const s3 = await startBuckets();
  const env = {
    S3_ENDPOINT: s3.endpoint,
    PUBLIC_URL: 'https://chat.example.org/',
    ALLOWED_ORIGINS: 'https://jobs.example.org',
  };
  const { code, out } = await makeBucket(env);
  expect({ code, out }).toEqual({
    code: 0,
    out:
      'made the bucket chat-files\n' +
      'pages may upload from https://chat.example.org, https://jobs.example.org\n',
  });
  expect([...s3.buckets]).toEqual(['chat-files']);
  const { body } = s3.asked.find(({ path }) => path.includes('cors'))!;
  const all = (tag: string) =>
    [...body.matchAll(new RegExp(`<${tag}>(.*?)</${tag}>`, 'g'))].map(([, it]) => it);
  expect(all('AllowedOrigin')).toEqual(['https://chat.example.org', 'https://jobs.example.org']);
  expect(all('AllowedMethod')).toEqual(['PUT']);
  expect(all('AllowedHeader')).toEqual(['content-type', 'if-none-match', 'x-amz-checksum-sha256']);
  await s3.stop();
});

test('Leaves an existing bucket unchanged', async () => {
  const s3 = await startBuckets();
  s3.buckets.add('chat-files');
  expect(await makeBucket({ S3_ENDPOINT: s3.endpoint })).toMatchObject({
    code: 0,
    out: 'the bucket chat-files is there\n',
  });
  expect(s3.asked.map(({ method }) => method)).toEqual(['HEAD']);
  await s3.stop();
});

test('Names the region of a bucket outside the default one', async () => {
  const s3 = await startBuckets();
  await makeBucket({ S3_ENDPOINT: s3.endpoint, S3_REGION: 'eu-central-1' });
  expect(s3.asked.at(-1)?.body).toContain('<LocationConstraint>eu-central-1</LocationConstraint>');
  await s3.stop();
});

test('Fails with the error of S3, without a secret', async () => {
  const s3 = await startBuckets({ refuses: 'HEAD' });
  const { code, err } = await makeBucket({ S3_ENDPOINT: s3.endpoint });
  expect(code).toBe(1);
  expect(err).toMatch(/^S3 refuses: 403 /);
  expect(s3.buckets.size).toBe(0);
  await s3.stop();
});

test('Requires the name of the bucket', async () => {
  const { code, err } = await makeBucket({ S3_BUCKET: '' });
  expect(code).toBe(1);
  expect(err).toMatch(/^S3_BUCKET must be set\n/);
});
