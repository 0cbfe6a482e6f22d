import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { readWebPages } from '../../../src/adapters/disk/web-pages.ts';
import { uploadOriginsOf } from '../../../src/adapters/s3/client.ts';
import { WEB_PATHS } from '../../../src/http/routes/web.ts';
import { PATHS } from '../../../web/paths.ts';
import { httpStage } from '../../support/stages/http-stage.ts';

const BUILT = join(import.meta.dirname, '../../../web/dist');
const AS_BROWSER = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
const MOST_BYTES = 150_000;

const namesIn = (html: string) =>
  [...html.matchAll(/(?:src|href)="\/web\/([^"]+)"/g)].map(([, name]) => name!);

describe('The pages for people', () => {
  let stage: Awaited<ReturnType<typeof httpStage>>;
  beforeAll(async () => {
    stage = await httpStage({
      webPages: await readWebPages(BUILT),
      uploadOrigins: ['https://bucket.s3.example.com'],
    });
  });
  afterAll(() => stage.close());

  const inBrowser = (path: string, headers: Record<string, string> = {}) =>
    stage.ask('GET', path, { headers: { ...AS_BROWSER, host: 'chat.example.com', ...headers } });

  test('are all answered by the server, and no others', () => {
    const paths = Object.values(PATHS).filter((path) => path !== PATHS.inbox);
    expect(WEB_PATHS.toSorted()).toEqual(paths.toSorted());
  });

  test.each(Object.values(PATHS))('are one page, at %s as well', async (path) => {
    const answer = await inBrowser(path.replace(/:\w+/, 'a'));
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
      vary: 'Accept, Accept-Encoding',
    });
    expect(answer.text).toBe(await readFile(join(BUILT, 'index.html'), 'utf8'));
  });

  test.each(WEB_PATHS)('are unknown to programs at %s', async (path) => {
    const answer = await stage.ask('GET', path.replace(/:\w+/, 'a'), { headers: { accept: '*/*' } });
    expect([answer.status, answer.body['code']]).toEqual([404, 'NOT_FOUND']);
  });

  test('run nothing but their own script and style', async () => {
    const { headers, text } = await inBrowser('/jobs');
    expect(String(headers['content-security-policy']).split('; ')).toEqual([
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "img-src 'self' blob: data:",
      "connect-src 'self' ws://chat.example.com https://bucket.s3.example.com",
      "font-src 'self'",
      "frame-ancestors 'none'",
      "base-uri 'none'",
      "form-action 'self'",
    ]);
    expect(text).not.toMatch(/<style|style=|<script(?![^>]* src=)|https?:/);
  });

  test('load files that browsers keep for good, compressed where they say so', async () => {
    const names = namesIn((await inBrowser('/')).text);
    expect(names.length).toBeGreaterThan(2);
    for (const name of names) {
      const plain = await stage.ask('GET', `/web/${name}`);
      expect(plain.status).toBe(200);
      expect(plain.headers).toMatchObject({
        'cache-control': 'public, max-age=31536000, immutable',
        vary: 'Accept-Encoding',
      });
      expect(plain.headers['content-encoding']).toBeUndefined();
      const packed = await stage.app.inject({
        url: `/web/${name}`,
        headers: { 'accept-encoding': 'br, gzip' },
      });
      expect(packed.headers['content-encoding']).toBe('gzip');
      expect(gunzipSync(packed.rawPayload).toString()).toBe(plain.text);
      const refused = await stage.ask('GET', `/web/${name}`, { headers: { 'accept-encoding': 'gzip;q=0' } });
      expect(refused.headers['content-encoding']).toBeUndefined();
    }
  });

  test('answer HEAD as GET, without the page', async () => {
    const { status, headers, text } = await stage.ask('HEAD', '/', { headers: AS_BROWSER });
    expect([status, headers['content-type'], text]).toEqual([200, 'text/html; charset=utf-8', '']);
  });

  test('have a service worker, which is asked for anew and may be responsible for all paths', async () => {
    const { status, headers, text } = await stage.ask('GET', '/service-worker.js');
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'no-cache',
      'content-security-policy': "default-src 'none'",
    });
    expect(text).toBe(await readFile(join(BUILT, 'service-worker.js'), 'utf8'));
    expect((await stage.ask('GET', '/web/service-worker.js')).status).toBe(404);
  });

  test('do not serve other files', async () => {
    for (const name of ['index.html', 'none.js', '..%2fmain.tsx', 'main.js.gz'])
      expect((await stage.ask('GET', `/web/${name}`)).status).toBe(404);
  });

  test('weigh less than 150 kB at the first view', async () => {
    const html = await readFile(join(BUILT, 'index.html'));
    const files = await Promise.all(namesIn(html.toString()).map((name) => readFile(join(BUILT, name))));
    const bytes = [html, ...files].reduce((sum, file) => sum + gzipSync(file).length, 0);
    expect(bytes).toBeLessThan(MOST_BYTES);
  });

  test('are named by their content', async () => {
    const names = await readdir(BUILT);
    expect(
      names.filter(
        (name) => !/^(index\.html|service-worker\.js)(\.gz)?$|-[A-Z0-9]{8}\.(js|css|svg)(\.gz)?$/.test(name),
      ),
    ).toEqual([]);
  });
});

test('Without the pages, a browser is led to the documents, and other paths are unknown', async () => {
  const stage = await httpStage({ webPages: await readWebPages(join(BUILT, 'none')) });
  const root = await stage.ask('GET', '/', { headers: AS_BROWSER });
  expect([root.status, root.headers['location']]).toEqual([302, '/docs']);
  const jobs = await stage.ask('GET', '/jobs', { headers: AS_BROWSER });
  expect([jobs.status, jobs.body['code']]).toEqual([404, 'NOT_FOUND']);
  expect((await stage.ask('GET', '/service-worker.js')).status).toBe(404);
  await stage.close();
});

test('Uploads may go to the bucket, by its path or by its host name', () => {
  const s3 = {
    bucket: 'cvs',
    endpoint: undefined,
    publicEndpoint: undefined,
    region: 'eu-west-1',
    pathStyle: false,
  };
  expect(uploadOriginsOf(s3)).toEqual(['https://cvs.s3.eu-west-1.amazonaws.com']);
  const own = {
    ...s3,
    endpoint: 'http://s3:9000',
    publicEndpoint: 'https://files.example.com:9000',
    pathStyle: undefined,
  };
  expect(uploadOriginsOf(own)).toEqual([
    'https://files.example.com:9000',
    'https://cvs.files.example.com:9000',
  ]);
  expect(uploadOriginsOf({ ...own, pathStyle: true })).toEqual(['https://files.example.com:9000']);
});
