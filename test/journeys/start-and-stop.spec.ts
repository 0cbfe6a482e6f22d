import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Listener } from '../../tools/listener.ts';
import { type Session, call, signUp } from '../../tools/rest.ts';
import { createTestDatabase } from '../support/stages/database.ts';
import { until } from '../../tools/until.ts';
import { type ServerProcess, freePort, launchServer, startServer } from '../../tools/server-process.ts';

/** Returns the lines of a log. What is no JSON, such as a warning of Node, is a line with that text as its message. */
const linesOf = ({ output }: Pick<ServerProcess, 'output'>) =>
  output()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) =>
      line.startsWith('{') ? (JSON.parse(line) as { msg: string; [field: string]: unknown }) : { msg: line },
    );

/** Consecutive starts on the same data. */
describe('starting and stopping', () => {
  let server: ServerProcess;
  let port: number;
  let company: Session;
  let client: Listener;
  let groupId: string;

  const restart = async () => {
    server = await startServer({ port, dataDir: server.dataDir });
  };
  const messages = async () => {
    const path = `/v1/groups/${groupId}/messages`;
    const { data } = await call<{ data: { text: string }[] }>(server.url, 'GET', path, {
      token: company.accessToken,
    });
    return data.map(({ text }) => text);
  };

  beforeAll(async () => {
    port = await freePort();
    server = await startServer({ port });
    company = await signUp(server.url, { role: 'company', displayName: 'Harbour Robotics' });
    ({ groupId } = await call<{ groupId: string }>(server.url, 'POST', '/v1/jobs', {
      token: company.accessToken,
      body: { title: 'Night watch', description: 'Be there when it starts again' },
    }));
    client = await new Listener(company).connect();
    await client.send({ groupId, text: 'first' });
    await client.send({ groupId, text: 'second' });
    await client.reached(groupId, 2);
  });

  afterAll(async () => {
    client.close();
    await server.killTree();
    await rm(server.dataDir, { recursive: true, force: true });
  });

  test('the server serves its documents, keys and metrics', async () => {
    const { url } = server;
    const openapi = await call<{ openapi: string; paths: object }>(url, 'GET', '/openapi.json');
    const asyncapi = await call<{ asyncapi: string }>(url, 'GET', '/asyncapi.json');
    const { keys } = await call<{ keys: { kty: string }[] }>(url, 'GET', '/.well-known/jwks.json');
    const metrics = await (await fetch(`${url}/metrics`)).text();
    const docs = await fetch(`${url}/docs`);
    expect(openapi.openapi).toMatch(/^3\.1/);
    expect(Object.keys(openapi.paths)).toEqual(expect.arrayContaining(['/v1/jobs', '/v1/auth/login']));
    expect(asyncapi.asyncapi).toMatch(/^3\./);
    expect(keys[0]?.kty).toBe('EC');
    expect(metrics).toContain('# TYPE');
    expect(docs.headers.get('content-type')).toContain('text/html');
  });

  test('the first line tells what starts, and the next ones what becomes of the database', async () => {
    const [first, ...lines] = linesOf(server);
    expect(first).toMatchObject({
      level: 'info',
      msg: 'starting',
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      commit: expect.any(String),
      node: process.versions.node,
      roles: ['api', 'projector', 'realtime', 'notifier', 'worker', 'sealer'],
      database: 'embedded PostgreSQL',
      eventLog: 'in the database',
      nodes: 'this process',
      queue: 'in the database',
      files: 'on disk',
      scanner: 'none',
      mail: 'in this log',
      push: 'in this log',
      traces: 'none',
    });
    const migrations = await readdir(join(import.meta.dirname, '../../src/adapters/postgres/migrations'));
    const migrated = lines.filter(({ msg }) => msg === 'migrated the database');
    expect(migrated.map((line) => (line as { migration?: string }).migration)).toEqual(migrations.toSorted());
    expect(lines).toContainEqual(
      expect.objectContaining({ msg: 'opened the database', postgresql: expect.stringMatching(/^\d+/) }),
    );
  });

  test('a second start on the same data names the process that holds it, and stops', async () => {
    const second = launchServer({ dataDir: server.dataDir });
    const { code } = await second.exited;
    expect(code).toBeGreaterThan(0);
    expect(second.output()).toContain(String(server.pid));
    expect(linesOf(second).at(-1)).toMatchObject({ msg: 'stopped' });
    expect(await messages()).toEqual(['first', 'second']);
  });

  test('an invalid setting is named, and the start fails', async () => {
    const refused = launchServer({ env: { MESSAGES_PER_MINUTE: 'many' } });
    const { code } = await refused.exited;
    expect(code).toBeGreaterThan(0);
    expect(refused.output()).toContain('MESSAGES_PER_MINUTE');
  });

  test('a stop is announced to open sockets and completes in order within 25 s', async () => {
    const announced: unknown[] = [];
    client.chat.on('draining', (payload) => announced.push(payload));
    // A stop that takes too long ends with code 1.
    expect(await server.stop()).toMatchObject({ code: 0 });
    expect(announced).toEqual([{ reconnectInMs: expect.any(Number) }]);
    expect(linesOf(server).at(-1)).toMatchObject({ msg: 'stopped' });
  });

  test('the next start has all data, and clients reconnect by themselves', async () => {
    await restart();
    expect(await messages()).toEqual(['first', 'second']);
    await until(() => client.isConnected, 'the client is connected again');
    await client.send({ groupId, text: 'third' });
    await client.reached(groupId, 3);
    expect(client.view(groupId).map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });

  test('a start after a kill works at once while the old PostgreSQL is still running', async () => {
    const leftBehind = server.databasePid();
    await server.killProcess();
    expect(leftBehind).toBeGreaterThan(0);
    await restart();
    await until(async () => (await messages()).length === 3, 'the message is shown');
    expect(await messages()).toEqual(['first', 'second', 'third']);
  });

  test('a start after a kill of the whole process tree works at once', async () => {
    await server.killTree();
    await restart();
    await until(async () => (await messages()).length === 3, 'the message is shown');
    expect(await messages()).toEqual(['first', 'second', 'third']);
  });
});

describe('a start with parts elsewhere', () => {
  const folders: string[] = [];
  const dataDir = async () => {
    const folder = await mkdtemp(join(tmpdir(), 'chat-start-'));
    folders.push(folder);
    return folder;
  };

  afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

  test('names their hosts and no secret, and Node warns of nothing', async () => {
    const database = await createTestDatabase();
    const server = await startServer({
      dataDir: await dataDir(),
      env: {
        DATABASE_URL: database.ownerUrl,
        SMTP_URL: 'smtps://chat:hushhush@mail.example.org:465',
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:9/v1/traces?key=hushhush',
        OTEL_EXPORTER_OTLP_HEADERS: 'authorization=hushhush',
        OTEL_TRACES_SAMPLER: 'always_off',
      },
      nodeArgs: ['--trace-warnings'],
    });
    try {
      expect(linesOf(server)[0]).toMatchObject({
        msg: 'starting',
        database: `PostgreSQL at ${new URL(database.ownerUrl).host}`,
        mail: 'SMTP at mail.example.org:465',
        traces: 'OTLP at 127.0.0.1:9',
      });
      await signUp(server.url, { role: 'applicant', displayName: 'Ada' });
    } finally {
      expect(await server.stop()).toMatchObject({ code: 0 });
      await database.drop();
    }
    expect(server.output()).not.toContain('hushhush');
    expect(linesOf(server).filter(({ msg }) => /warning/i.test(msg))).toEqual([]);
    expect(linesOf(server).at(-1)).toMatchObject({ msg: 'stopped' });
  });

  test('that fails ends with the reason, and with the line that it has stopped', async () => {
    const port = await freePort();
    const server = launchServer({
      dataDir: await dataDir(),
      env: { DATABASE_URL: `postgres://chat:hushhush@127.0.0.1:${port}/chat` },
    });
    expect(await server.exited).toMatchObject({ code: 1 });
    expect(linesOf(server).map(({ msg }) => msg)).toEqual([
      'starting',
      expect.stringContaining('ECONNREFUSED'),
      'stopped',
    ]);
    expect(server.output()).not.toContain('hushhush');
  });

  test('on a terminal writes lines for people, and Ctrl-C stops it', async () => {
    const { PATH = '', HOME = '' } = process.env;
    const terminal = spawn(
      'script',
      ['--quiet', '--return', '--command', `exec '${process.execPath}' src/main.ts`, '/dev/null'],
      {
        cwd: join(import.meta.dirname, '../..'),
        env: { PATH, HOME, TMPDIR: tmpdir(), TERM: 'xterm-256color', DATA_DIR: await dataDir(), PORT: '0' },
      },
    );
    let output = '';
    terminal.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
    const exited = new Promise<number | null>((resolve) => terminal.once('close', resolve));
    await until(() => output.includes('listening'), 'the server to listen', 60_000);
    terminal.stdin.write('\u0003');
    expect(await exited).toBe(0);
    const esc = '\u001B';
    expect(output).toContain(`${esc}[32mINFO${esc}[39m`);
    expect(output).toMatch(/^\[\d{2}:\d{2}:\d{2}\.\d{3}\] /);
    expect(output).not.toContain('{"level"');
    expect(output.trimEnd().split('\n').at(-1)).toContain('stopped');
  });
});
