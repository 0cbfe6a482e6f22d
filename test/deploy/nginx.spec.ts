import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type IncomingMessage, type Server, type ServerResponse, createServer, request } from 'node:http';
import { get as getSecurely } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { WebSocket, WebSocketServer } from 'ws';
import { NGINX_FOLDER, type Nginx, type NginxOptions, startNginx } from '../../scripts/cluster/nginx.ts';
import { certificate, certificateKey } from '../support/servers/certificate.ts';
import { program } from '../../tools/debian-programs.ts';
import { freePort } from '../../tools/server-process.ts';
import { until } from '../../tools/until.ts';

/** A stand-in for an api node: records requests, and answers as configured. */
interface Node {
  port: number;
  heard: { method: string; url: string; headers: IncomingMessage['headers']; bytes: number }[];
  answer: (request: IncomingMessage, response: ServerResponse) => void;
  server: Server;
}

async function startNode(): Promise<Node> {
  const server = createServer((incoming, response) => {
    let bytes = 0;
    incoming.on('data', (chunk: Buffer) => (bytes += chunk.length));
    incoming.on('end', () => {
      const { method = '', url = '', headers } = incoming;
      node.heard.push({ method, url, headers, bytes });
      node.answer(incoming, response);
    });
  });
  const sockets = new WebSocketServer({ server, path: '/socket.io/' });
  sockets.on('connection', (socket, { headers, url = '' }) => {
    node.heard.push({ method: 'WebSocket', url, headers, bytes: 0 });
    socket.on('message', (data: Buffer) => socket.send(`echo ${data.toString()}`));
  });
  const fine: Node['answer'] = (_request, response) => {
    response.setHeader('Strict-Transport-Security', 'max-age=31536000; includeSubDomains');
    response.end(`node ${node.port}`);
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const node: Node = { port: (server.address() as AddressInfo).port, heard: [], answer: fine, server };
  return node;
}

describe('NGINX in front of two api nodes', () => {
  let nodes: [Node, Node];
  let nginx: Nginx;

  beforeEach(async () => {
    nodes = [await startNode(), await startNode()];
  });
  const start = async (options: Partial<NginxOptions> = {}) => {
    nginx = await startNginx({ nodes: nodes.map(({ port }) => port), ...options });
  };
  afterEach(async () => {
    await nginx?.stop();
    for (const { server } of nodes) {
      server.closeAllConnections();
      server.close();
    }
  });

  const heard = () => nodes.flatMap((node) => node.heard);
  const ask = async (method: string, path: string, init: RequestInit = {}) => {
    const response = await fetch(new URL(path, nginx.url), { method, ...init });
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
  async function talk(headers: Record<string, string> = {}): Promise<string> {
    const url = `${nginx.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`;
    const socket = new WebSocket(url, { headers });
    try {
      await once(socket, 'open');
      socket.send('hello');
      const [answer] = (await once(socket, 'message')) as [Buffer];
      return answer.toString();
    } finally {
      socket.terminate();
    }
  }

  test('distributes requests and passes them on unchanged', async () => {
    await start();
    for (let count = 0; count < 10; count += 1)
      expect((await ask('POST', '/v1/jobs?x=%2F%20', { body: `{"n":${count}}` })).status).toBe(200);
    expect(nodes.map((node) => node.heard.length)).toEqual([5, 5]);
    expect(heard()[0]).toMatchObject({ method: 'POST', url: '/v1/jobs?x=%2F%20', bytes: 7 });
    // Includes the port, which the server compares with the Origin.
    expect(heard()[0]?.headers.host).toBe(new URL(nginx.url).host);
  });

  test('accepts WebSocket upgrades for sockets only', async () => {
    await start();
    expect(await talk()).toBe('echo hello');
    const { port } = new URL(nginx.url);
    const upgrade = {
      host: '127.0.0.1',
      port,
      path: '/v1/jobs',
      headers: { Upgrade: 'x', Connection: 'upgrade' },
    };
    const [response] = (await once(request(upgrade).end(), 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(200);
    response.resume();
    expect(heard().map(({ headers }) => headers.upgrade)).toEqual(['websocket', undefined]);
  });

  test('passes on the address that it sees, whatever the client claims', async () => {
    await start();
    const forged = {
      'X-Forwarded-For': '203.0.113.9',
      'X-Real-IP': '203.0.113.9',
      Forwarded: 'for=203.0.113.9',
    };
    await ask('GET', '/v1/jobs', { headers: { ...forged, 'X-Forwarded-Host': 'evil.example' } });
    await talk(forged);
    for (const { headers } of heard()) {
      expect(headers['x-forwarded-for']).toBe('127.0.0.1');
      expect(JSON.stringify(headers)).not.toMatch(/203\.0\.113|evil/);
    }
    expect(heard()).toHaveLength(2);
  });

  test('trusts the address from a configured balancer, one hop far', async () => {
    await start({ trusted: ['127.0.0.1'] });
    await ask('GET', '/v1/jobs', { headers: { 'X-Forwarded-For': '203.0.113.9, 198.51.100.7' } });
    expect(heard()[0]?.headers['x-forwarded-for']).toBe('198.51.100.7');
  });

  test('skips a dead node, for POST as well', async () => {
    await start();
    nodes[0].server.close();
    for (let count = 0; count < 20; count += 1)
      expect(await ask('POST', '/v1/jobs', { body: '{}' })).toMatchObject({ status: 200 });
    expect(await talk()).toBe('echo hello');
    expect(nodes[1].heard).toHaveLength(21);
  });

  test('retries a GET on the other node after a 503, and avoids a node after three of them', async () => {
    await start();
    nodes[0].answer = (_request, response) => response.writeHead(503).end();
    for (let count = 0; count < 20; count += 1)
      expect(await ask('GET', '/v1/groups')).toMatchObject({ status: 200 });
    expect(nodes[1].heard).toHaveLength(20);
    expect(nodes[0].heard.length).toBeLessThanOrEqual(4);
  });

  test('sends a POST once, whether the node answers 503, breaks off or hangs up before', async () => {
    await start();
    const answers: Node['answer'][] = [
      (_request, response) => response.writeHead(503, { 'Retry-After': '1' }).end('of the node'),
      (incoming) => incoming.socket.destroy(),
    ];
    for (const answer of answers) {
      for (const node of nodes) Object.assign(node, { answer, heard: [] });
      for (const method of ['POST', 'PATCH']) {
        const { status, headers } = await ask(method, '/v1/jobs', { body: '{}' });
        expect(status).toBe(503);
        expect(headers.get('retry-after')).toBe('1');
      }
      expect(
        heard()
          .map(({ method }) => method)
          .toSorted(),
      ).toEqual(['PATCH', 'POST']);
    }
  });

  test('keeps using all nodes when all answer 503, and passes the answers on', async () => {
    await start();
    for (const node of nodes)
      node.answer = (_request, response) =>
        response.writeHead(503, { 'Retry-After': '7' }).end('of the node');
    for (let count = 0; count < 20; count += 1) {
      const { status, headers, text } = await ask('GET', '/v1/groups');
      expect([status, headers.get('retry-after'), text]).toEqual([503, '7', 'of the node']);
    }
  });

  test('answers like the application when no node is up', async () => {
    await start();
    for (const { server } of nodes) server.close();
    const { status, headers, text } = await ask('GET', '/v1/groups');
    expect([status, headers.get('content-type'), headers.get('retry-after')]).toEqual([
      503,
      'application/problem+json',
      '1',
    ]);
    expect(JSON.parse(text)).toMatchObject({ status: 503, code: 'UNAVAILABLE', retryable: true });
  });

  test('answers 429 to an address that sends too many requests, and to no other', async () => {
    await start({ unlimited: [], trusted: ['127.0.0.1'] });
    const from = (address: string) => ({ headers: { 'X-Forwarded-For': address } });
    const flood = async (addresses: (n: number) => string) => {
      const refused: string[] = [];
      const ten = Array.from({ length: 10 }, (_, lane) => lane);
      for (let n = 0; n < 400; n += ten.length) {
        const answers = await Promise.all(
          ten.map((lane) => ask('GET', '/v1/jobs', from(addresses(n + lane)))),
        );
        refused.push(...answers.filter(({ status }) => status === 429).map(({ text }) => text));
      }
      return refused;
    };
    const refused = await flood(() => '203.0.113.9');
    expect(refused.length).toBeGreaterThan(50);
    expect(refused.length).toBeLessThan(200);
    expect(JSON.parse(refused[0]!)).toMatchObject({ code: 'RATE_LIMITED', retryable: true });
    expect((await ask('GET', '/v1/jobs', from('203.0.113.10'))).status).toBe(200);
    // All addresses of one customer's network count together.
    expect((await flood((n) => `2001:db8:1:2::${n + 1}`)).length).toBeGreaterThan(50);
    expect((await ask('GET', '/v1/jobs', from('2001:db8:1:3::1'))).status).toBe(200);
  });

  test('limits the open requests of an address to a hundred', async () => {
    await start({ unlimited: [] });
    const held: (() => void)[] = [];
    for (const node of nodes) node.answer = (_request, response) => held.push(() => response.end());
    const statuses: number[] = [];
    const asked = Array.from({ length: 105 }, async () =>
      statuses.push((await ask('GET', '/v1/jobs')).status),
    );
    await until(() => statuses.length === 5 && held.length === 100, 'the answers');
    expect(statuses).toEqual(Array(5).fill(429));
    for (const release of held) release();
    await Promise.all(asked);
    expect(statuses.filter((status) => status === 200)).toHaveLength(100);
  });

  test('streams large uploads, and refuses other large bodies', async () => {
    await start();
    const body = Buffer.alloc(24 * 1_048_576, 'x');
    expect((await ask('PUT', '/v1/storage/quarantine/f?token=t', { body })).status).toBe(200);
    expect(heard()[0]?.bytes).toBe(body.length);
    const { status, text } = await ask('POST', '/v1/jobs', { body: body.subarray(0, 65_537) });
    expect(status).toBe(413);
    expect(JSON.parse(text)).toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
    expect((await ask('POST', '/v1/jobs', { body: body.subarray(0, 65_536) })).status).toBe(200);
  });

  test('hides the routes for operators', async () => {
    await start();
    for (const path of ['/metrics', '/internal/scan-reports', '/internal/../metrics', '/%6detrics'])
      expect(await ask('GET', path)).toMatchObject({ status: 404 });
    expect(heard()).toEqual([]);
  });

  test('writes neither tokens nor the queries of links to its logs', async () => {
    await start();
    const headers = { Authorization: 'Bearer s3cret', Cookie: 's3cret', Referer: 'http://x/?s3cret' };
    await ask('GET', '/v1/storage/1?token=s3cret', { headers });
    await ask('GET', '/%22,%22forged%22:%22', { headers });
    const lines = async () => (await nginx.accessLog()).trim().split('\n');
    await until(async () => (await lines()).length === 2, 'the log');
    // Each worker writes from a buffer of its own, so the lines come in any order.
    const entries = (await lines()).map((line) => JSON.parse(line) as { path: string });
    const entry = (path: string) => entries.find((each) => each.path === path);
    expect(entry('/v1/storage/1')).toMatchObject({ address: '127.0.0.1', method: 'GET', status: 200 });
    expect(entry('/","forged":"')).toBeDefined();
    expect((await nginx.accessLog()) + nginx.output()).not.toContain('s3cret');
  });

  test('serves the TLS example: with a redirect, one HSTS field, and no TLS before 1.2', async () => {
    const [plain, secure, folder] = [
      await freePort(),
      await freePort(),
      await mkdtemp(join(tmpdir(), 'chat-tls-')),
    ];
    await writeFile(join(folder, 'fullchain.pem'), certificate);
    await writeFile(join(folder, 'privkey.pem'), certificateKey);
    const servers = (await readFile(join(NGINX_FOLDER, 'conf.d/tls.conf.example'), 'utf8'))
      .replace('listen 80 ', `listen 127.0.0.1:${plain} `)
      .replace('listen 443 ', `listen 127.0.0.1:${secure} `)
      .replaceAll(' tls/', ` ${folder}/`);
    try {
      await start({ port: secure, servers });
      const moved = await fetch(`http://127.0.0.1:${plain}/v1/jobs?q=%0d%0aX:1`, { redirect: 'manual' });
      expect([moved.status, moved.headers.get('location')]).toEqual([
        308,
        'https://127.0.0.1/v1/jobs?q=%0d%0aX:1',
      ]);
      const get = async (options: object) => {
        const asked = getSecurely(`https://127.0.0.1:${secure}/v1/jobs`, {
          ca: certificate,
          agent: false,
          ...options,
        });
        const [response] = (await once(asked, 'response')) as [IncomingMessage];
        response.resume();
        return response;
      };
      const { statusCode, headersDistinct } = await get({});
      expect(statusCode).toBe(200);
      expect(headersDistinct['strict-transport-security']).toEqual(['max-age=31536000; includeSubDomains']);
      expect(headersDistinct['server']).toEqual(['nginx']);
      expect(heard().at(-1)?.headers['x-forwarded-proto']).toBe('https');
      const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' };
      await expect(get(old)).rejects.toThrow(/alert protocol version/);
      const socket = new WebSocket(`wss://127.0.0.1:${secure}/socket.io/`, { ca: certificate });
      await once(socket, 'open');
      socket.terminate();
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

test.each(['plain.conf', 'tls.conf.example'])('NGINX accepts the production files with %s', async (site) => {
  const folder = await mkdtemp(join(tmpdir(), 'chat-nginx-'));
  try {
    await cp(NGINX_FOLDER, folder, { recursive: true });
    await rm(join(folder, 'conf.d'), { recursive: true });
    await mkdir(join(folder, 'conf.d'));
    await cp(join(NGINX_FOLDER, 'conf.d', site), join(folder, 'conf.d/site.conf'));
    await mkdir(join(folder, 'tls'));
    await writeFile(join(folder, 'tls/fullchain.pem'), certificate);
    await writeFile(join(folder, 'tls/privkey.pem'), certificateKey);
    // Names that exist only in the containers' network, and folders that only root may write to.
    const edit = async (name: string, change: (text: string) => string) =>
      writeFile(join(folder, name), change(await readFile(join(folder, name), 'utf8')));
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
    await edit('upstream.conf', (text) =>
      [
        text.replaceAll(/api-\d/g, '127.0.0.1'),
        ...temporary.map((name) => `${name}_temp_path ${folder}/${name};`),
      ].join('\n'),
    );
    await edit('nginx.conf', (text) => text.replaceAll('/var/log/nginx', folder));
    // Commented examples are tested as well.
    await edit('addresses.conf', (text) => text.replaceAll(/^#(?=\w)/gm, ''));
    const { command, env } = program('nginx');
    const args = [
      '-t',
      '-p',
      folder,
      '-c',
      join(folder, 'nginx.conf'),
      '-e',
      'stderr',
      '-g',
      `pid ${folder}/pid;`,
    ];
    const { stderr } = await promisify(execFile)(command, args, { env: { ...process.env, ...env } });
    expect(stderr).toContain('test is successful');
    expect(stderr).not.toMatch(/\[(warn|error|emerg)\]/);
  } finally {
    await rm(folder, { recursive: true });
  }
});
