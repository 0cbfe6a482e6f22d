import { rm } from 'node:fs/promises';
import { ChatClient } from '../../client/chat-client.ts';
import { type Session, call, signUp } from '../../client/rest-client.ts';
import { until } from '../../tools/until.ts';
import { type ServerProcess, freePort, launchServer, startServer } from '../../tools/server-process.ts';

/** Consecutive starts on the same data. */
describe('starting and stopping', () => {
  let server: ServerProcess;
  let port: number;
  let company: Session;
  let client: ChatClient;
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
    client = await new ChatClient(company).connect();
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

  test('a second start on the same data names the process that holds it, and stops', async () => {
    const second = launchServer({ dataDir: server.dataDir });
    const { code } = await second.exited;
    expect(code).toBeGreaterThan(0);
    expect(second.output()).toContain(String(server.pid));
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
    client.socket.on('draining', (payload) => announced.push(payload));
    // A stop that takes too long ends with code 1.
    expect(await server.stop()).toMatchObject({ code: 0 });
    expect(announced).toEqual([{ reconnectInMs: expect.any(Number) }]);
  });

  test('the next start has all data, and clients reconnect by themselves', async () => {
    await restart();
    expect(await messages()).toEqual(['first', 'second']);
    await until(() => client.socket.connected, 'the client is connected again');
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
