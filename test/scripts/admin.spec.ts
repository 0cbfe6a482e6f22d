import { execFile } from 'node:child_process';
import { createPublicKey, generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SignJWT } from 'jose';
import pg from 'pg';
import { io } from 'socket.io-client';
import { prepareDatabase } from '../../src/adapters/postgres/prepare-database.ts';
import { keepAccessKey } from '../../src/auth/tokens/access-keys.ts';
import { makeSigningKey } from '../../src/auth/tokens/signing-keys.ts';
import { createSigningKeyStore } from '../../src/adapters/postgres/tables/signing-keys.ts';
import { type KmsServer, startKmsServer } from '../support/servers/kms-server.ts';
import { CREDENTIALS, postForm, tokenOf } from '../support/stages/service-clients.ts';
import { until } from '../../tools/until.ts';
import { type TestApp, startApp } from '../support/stages/app.ts';
import { type TestDatabase, createTestDatabase } from '../support/stages/database.ts';

const run = promisify(execFile);

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await prepareDatabase(database.ownerUrl);
});
afterAll(() => database.drop());

const admin = (...args: string[]) =>
  run(process.execPath, ['--disable-warning=ExperimentalWarning', 'scripts/admin.ts', ...args], {
    env: { PATH: process.env['PATH'], DATABASE_URL: database.ownerUrl },
  });

async function owner(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: database.ownerUrl });
  await client.connect();
  await client.query(statement);
  await client.end();
}

test('An operator can mark one address, or all, as verified or not', async () => {
  for (const email of ['ada@example.org', 'u@bücher.example'])
    await admin('create-user', '--role', 'applicant', '--display-name', 'Ada', '--email', email);
  const unverified = await admin('unverify-email', '--all');
  expect(unverified.stdout).toBe('2 addresses count as not proved from now on\n');
  const verified = await admin('verify-email', '--email', 'Ada@example.org');
  expect(verified.stdout).toBe('1 address counts as proved from now on\n');
  const { stdout } = await admin('list-users');
  expect(stdout).toMatch(/applicant {2}ada@example\.org$/m);
  expect(stdout).toMatch(/applicant {2}u@xn--bcher-kva\.example {2}\(not verified\)$/m);
  await expect(admin('verify-email')).rejects.toMatchObject({
    code: 2,
    stderr: 'either --email or --all is needed\n',
  });
}, 180_000);

test('An operator can make a login to the database for an auditor', async () => {
  const user = `auditor_${process.pid}`;
  try {
    const made = await admin('create-database-login', '--role', 'auditor', '--user', user);
    const [, password] = /^password: (\S+)$/m.exec(made.stdout)!;
    const url = new URL(database.ownerUrl);
    [url.username, url.password] = [user, password!];
    const client = new pg.Client({ connectionString: url.href });
    await client.connect();
    await client.query('select from events');
    await expect(client.query('select from credentials')).rejects.toMatchObject({ code: '42501' });
    await client.end();
    for (const [option, value] of [
      ['--role', 'admin'],
      ['--user', 'a b'],
    ] as const) {
      const asked = admin('create-database-login', '--role', 'auditor', '--user', user, option, value);
      await expect(asked).rejects.toMatchObject({ code: 2, stderr: expect.stringMatching(`^${option}: `) });
    }
  } finally {
    await owner(`drop role ${user}`);
  }
}, 60_000);

test('An administrator prepares a server for the users in the settings', async () => {
  const name = `prepared_${process.pid}`;
  const url = new URL(database.ownerUrl);
  [url.username, url.password, url.pathname] = [name, 'x', `/${name}`];
  const prepare = (settings: object, ...args: string[]) =>
    run(process.execPath, ['scripts/admin.ts', 'prepare-database', ...args], {
      env: { PATH: process.env['PATH'], ...settings },
    });
  try {
    const settings = { DATABASE_URL: url.href };
    const { stdout } = await prepare(settings, '--as', database.ownerUrl, '--json');
    const application = `chat_app_${name}`;
    const roles = { app: `${name}_app`, sealer: `${name}_sealer`, auditor: `${name}_auditor` };
    expect(JSON.parse(stdout)).toEqual({ database: name, isNew: true, owner: name, application, roles });
    const client = new pg.Client({ connectionString: url.href });
    await client.connect();
    await client.end();
    const misused = { code: 2, stderr: expect.stringMatching(/^(--as: |DATABASE_URL must be set)/) };
    await expect(prepare(settings)).rejects.toMatchObject(misused);
    await expect(prepare(settings, '--as', 'mysql://x')).rejects.toMatchObject(misused);
    await expect(prepare(settings, '--as', database.ownerUrl, '--print-sql')).rejects.toMatchObject(misused);
    await expect(prepare({}, '--print-sql')).rejects.toMatchObject(misused);
    // Who is no administrator.
    await expect(prepare(settings, '--as', url.href)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^the administrator may not do this \(.*\): it has to be a superuser, or /,
      ),
    });
  } finally {
    await owner(`drop database if exists ${name} with (force)`);
    await owner(`drop role if exists chat_app_${name}`);
    await owner(`drop role if exists ${name}`);
  }
}, 60_000);

describe('beside a server', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startApp();
  }, 60_000);
  afterAll(() => app?.stop());
  const beside = (...args: string[]) =>
    run(process.execPath, ['scripts/admin.ts', ...args], {
      env: { PATH: process.env['PATH'], ...app.settings },
    });
  const json = async (...args: string[]): Promise<unknown> =>
    JSON.parse((await beside(...args, '--json')).stdout);

  test('an operator suspends and restores a user', async () => {
    const ada = await app.register('applicant', 'Ada');
    const socket = io(app.url, { transports: ['websocket'], auth: { token: ada.accessToken } });
    await new Promise<void>((resolve) => socket.once('connect', resolve));
    const closed = new Promise((resolve) => socket.once('disconnect', resolve));
    const suspended = await beside('suspend-user', '--email', ada.email);
    expect(suspended.stdout).toBe(
      `suspended ${ada.email} and ended 1 sessions: it cannot log in, and nothing is sent to it\n`,
    );
    await closed;
    socket.close();
    expect(await app.ask('GET', '/v1/me', { as: ada })).toMatchObject({ status: 401 });
    const { email, password } = ada;
    const logIn = () => app.ask('POST', '/v1/auth/login', { body: { email, password } });
    expect(await logIn()).toMatchObject({ status: 403, body: { code: 'ACCOUNT_SUSPENDED' } });
    expect((await beside('list-users')).stdout).toContain(`${email}  (not verified)  (suspended)`);
    await expect(beside('suspend-user', '--email', email)).rejects.toMatchObject({
      code: 1,
      stderr: `${email} is suspended already\n`,
    });
    await beside('restore-user', '--email', email);
    expect((await logIn()).status).toBe(200);
  }, 60_000);

  test('an operator lists the sessions and the groups of a user, and ends one session', async () => {
    const [company, ada] = [await app.register('company', 'Acme'), await app.register('applicant', 'Ada')];
    const body = { title: 'Engineer\u001b[31m', description: 'Build it.' };
    const { jobId, groupId } = (await app.ask('POST', '/v1/jobs', { as: company, body })).body as {
      jobId: string;
      groupId: string;
    };
    await app.ask('POST', `/v1/jobs/${jobId}/applications`, { as: ada, body: {} });
    await until(
      async () =>
        ((await json('list-groups', '--email', ada.email)) as { groups: unknown[] }).groups.length === 1,
      'the group',
    );
    expect(await json('list-groups', '--email', ada.email)).toMatchObject({
      userId: ada.userId,
      groups: [{ groupId, jobId, role: 'member', memberCount: 2, status: 'open' }],
    });
    const { stdout } = await beside('list-groups', '--email', ada.email);
    expect(stdout).toMatch(new RegExp(`^${groupId}  member  open    2 members  .*Engineer \\[31m\\n$`));

    const other = await app.logIn(ada);
    const { sessions } = (await json('list-sessions', '--email', ada.email)) as {
      sessions: { sessionId: string }[];
    };
    expect(sessions).toHaveLength(2);
    const mine = (await app.ask('GET', '/v1/me/sessions', { as: other })).body['data'] as {
      sessionId: string;
      current: boolean;
    }[];
    const { sessionId } = mine.find(({ current }) => !current)!;
    const ended = await beside('end-sessions', '--email', ada.email, '--session', sessionId);
    expect(ended.stdout).toBe(`ended 1 session of ${ada.email}\n`);
    await until(async () => (await app.ask('GET', '/v1/me', { as: ada })).status === 401, 'the end');
    expect((await app.ask('GET', '/v1/me', { as: other })).status).toBe(200);
    await expect(beside('end-sessions', '--email', ada.email, '--session', sessionId)).rejects.toMatchObject({
      code: 1,
      stderr: `${ada.email} has no open session ${sessionId}\n`,
    });
  }, 60_000);

  test('an operator sees which processes run', async () => {
    expect(await json('list-nodes')).toEqual({
      nodes: [
        {
          nodeId: expect.any(String),
          host: hostname(),
          version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
          roles: ['api', 'projector', 'realtime', 'notifier', 'worker', 'sealer'],
          hasRedis: false,
          startedAt: expect.any(String),
        },
      ],
    });
    expect((await beside('list-nodes')).stdout).toMatch(/ api, projector, .*\(without Redis\)\n$/);
  }, 30_000);

  test('an operator sees what waits to be sent', async () => {
    expect((await beside('show-queue')).stdout).toMatch(
      /^\d+ notifications wait, the oldest due batch for \d+ s; 0 batches are parked\n/,
    );
    expect(await json('show-queue')).toMatchObject({ parked: 0, batches: expect.any(Array) as [] });
  }, 30_000);
});

describe('a client', () => {
  let app: TestApp;
  let folder: string;
  beforeAll(async () => {
    app = await startApp();
    folder = await mkdtemp(join(tmpdir(), 'client-keys-'));
  }, 60_000);
  afterAll(async () => {
    await app?.stop();
    await rm(folder, { recursive: true, force: true });
  });
  const beside = (...args: string[]) =>
    run(process.execPath, ['scripts/admin.ts', ...args], {
      env: { PATH: process.env['PATH'], ...app.settings },
    });
  const json = async (...args: string[]) =>
    JSON.parse((await beside(...args, '--json')).stdout) as { clientId: string; secret: string };
  const make = (...more: string[]) =>
    json('create-client', '--name', 'Acme jobs', '--scopes', 'jobs:write users:write', ...more);
  const statusOf = async (clientId: string, secret: string) =>
    (await postForm(app.url, CREDENTIALS, { clientId, secret })).status;

  test('is made with scopes, and gets tokens with the secret that is printed once', async () => {
    const { clientId, secret, ...made } = await make();
    expect(made).toStrictEqual({
      ...{ name: 'Acme jobs', scopes: ['users:write', 'jobs:write'], publicKeys: 0 },
    });
    const { body } = await postForm(app.url, CREDENTIALS, { clientId, secret });
    expect(body['scope']).toBe('users:write jobs:write');
    const listed = await beside('list-clients');
    expect(listed.stdout).toContain(`${String(clientId)}  since `);
    expect(listed.stdout).not.toContain(secret);
    for (const [option, ...args] of [
      ['--scopes', '--name', 'Acme', '--scopes', 'everything'],
      ['--scopes', '--name', 'Acme'],
      ['--name', '--scopes', 'jobs:write'],
      ['--public-key', '--name', 'Acme', '--scopes', 'jobs:write', '--public-key', 'package.json'],
    ] as const)
      await expect(beside('create-client', ...args)).rejects.toMatchObject({
        ...{ code: 2, stderr: expect.stringMatching(`^${option}: `) },
      });
  }, 60_000);

  test('gets another secret, and loses the older one when an operator ends it', async () => {
    const { clientId, secret } = await make();
    const { secret: newer } = await json('rotate-client-secret', '--client', clientId);
    expect([await statusOf(clientId, secret), await statusOf(clientId, newer)]).toStrictEqual([200, 200]);
    await expect(beside('rotate-client-secret', '--client', clientId)).rejects.toMatchObject({ code: 1 });
    await beside('end-client-secret', '--client', clientId);
    expect([await statusOf(clientId, secret), await statusOf(clientId, newer)]).toStrictEqual([401, 200]);
    await expect(beside('end-client-secret', '--client', clientId)).rejects.toMatchObject({ code: 1 });
  }, 60_000);

  test('is disabled, which ends its tokens, and enabled again', async () => {
    const { clientId, secret } = await make();
    const token = await tokenOf(app.url, { clientId, secret });
    const codeOf = async (accessToken: string) =>
      (await app.ask('GET', '/v1/groups', { headers: { authorization: `Bearer ${accessToken}` } })).body[
        'code'
      ];
    expect(await codeOf(token)).toBe('USER_TOKEN_REQUIRED');
    await beside('disable-client', '--client', clientId);
    await until(async () => (await codeOf(token)) === 'TOKEN_REVOKED', 'the token to end', 5_000);
    expect(await statusOf(clientId, secret)).toBe(401);
    expect((await beside('list-clients')).stdout).toContain('(disabled)');
    await expect(beside('disable-client', '--client', clientId)).rejects.toMatchObject({ code: 1 });
    await beside('enable-client', '--client', clientId);
    expect(await codeOf(await tokenOf(app.url, { clientId, secret }))).toBe('USER_TOKEN_REQUIRED');
    expect(await codeOf(token)).toBe('TOKEN_REVOKED');
    await expect(beside('enable-client', '--client', clientId)).rejects.toMatchObject({ code: 1 });
  }, 60_000);

  test('has users without an address, whom an operator reaches by their ids', async () => {
    const { clientId, secret } = await make();
    const token = await tokenOf(app.url, { clientId, secret });
    const headers = { authorization: `Bearer ${token}` };
    const made = await app.ask('PUT', '/v1/users/ada', {
      ...{ headers, body: { role: 'applicant', displayName: 'Ada' } },
    });
    const userId = made.body['userId'] as string;
    expect((await beside('list-users')).stdout).toMatch(new RegExp(`^${userId}  applicant  -$`, 'm'));
    expect((await beside('suspend-user', '--user-id', userId)).stdout).toContain(`suspended ${userId}`);
    expect((await beside('list-users')).stdout).toMatch(
      new RegExp(`^${userId}  applicant  -  \\(suspended\\)$`, 'm'),
    );
    expect((await app.ask('POST', `/v1/users/${userId}/reactivate`, { headers })).status).toBe(403);
    await beside('restore-user', '--user-id', userId);
    await expect(beside('reset-password', '--user-id', userId)).rejects.toMatchObject({
      ...{ code: 1, stderr: `${userId} has no password: it is an account of a board\n` },
    });
    await expect(beside('suspend-user', '--user-id', randomUUID())).rejects.toMatchObject({ code: 1 });
    for (const wrong of [['--user-id', 'ada'], ['--user-id', userId, '--email', 'a@b.example'], []])
      await expect(beside('suspend-user', ...wrong)).rejects.toMatchObject({ code: 2 });
  }, 120_000);

  test('proves itself with a key of its own, in any of the usual forms', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'a key' };
    const forms = {
      'key.pem': publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      'key.json': JSON.stringify(jwk),
      'keys.json': JSON.stringify({ keys: [jwk] }),
    };
    const fileOf = (name: string) => join(folder, name);
    for (const [name, content] of Object.entries(forms)) await writeFile(fileOf(name), content);
    const { clientId, ...made } = await make('--public-key', fileOf('key.pem'));
    expect(made).toMatchObject({ publicKeys: 1 });
    expect(made).not.toHaveProperty('secret');
    const tokenFor = async () => {
      const assertion = await new SignJWT({ jti: randomUUID() })
        .setProtectedHeader({ alg: 'PS256', kid: 'a key' })
        .setIssuer(clientId)
        .setSubject(clientId)
        .setAudience(app.url)
        .setExpirationTime('1 min')
        .sign(privateKey);
      const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
      const form = { ...CREDENTIALS, client_assertion_type: type, client_assertion: assertion };
      return (await postForm(app.url, form)).status;
    };
    expect(await tokenFor()).toBe(200);
    for (const name of ['key.json', 'keys.json']) {
      await beside('set-client-keys', '--client', clientId, '--public-key', fileOf(name));
      expect(await tokenFor()).toBe(200);
    }
    const both = await make('--public-key', fileOf('key.json'), '--with-secret');
    expect(await statusOf(both.clientId, both.secret)).toBe(200);

    const weak = generateKeyPairSync('rsa', { modulusLength: 1_024 }).publicKey;
    for (const [name, content] of Object.entries({
      'private.json': JSON.stringify(privateKey.export({ format: 'jwk' })),
      'private.pem': privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      'secret.json': JSON.stringify({ kty: 'oct', k: 'c2VjcmV0' }),
      'weak.json': JSON.stringify(weak.export({ format: 'jwk' })),
      'none.json': '{"keys":[]}',
    })) {
      await writeFile(fileOf(name), content);
      const asked = beside('set-client-keys', '--client', clientId, '--public-key', fileOf(name));
      await expect(asked).rejects.toMatchObject({
        code: 2,
        stderr: expect.stringMatching('^--public-key: '),
      });
    }
  }, 120_000);
});

describe('rotate-key', () => {
  let own: TestDatabase;
  beforeAll(async () => {
    own = await createTestDatabase();
    await prepareDatabase(own.ownerUrl);
  });
  afterAll(() => own.drop());
  const rotate = (args: string[], env: Record<string, string> = {}) =>
    run(process.execPath, ['scripts/admin.ts', 'rotate-key', ...args], {
      env: { PATH: process.env['PATH'], DATABASE_URL: own.ownerUrl, ...env },
    });

  test('makes a key for the algorithm that is set, or a secret of links', async () => {
    await expect(rotate([])).rejects.toMatchObject({
      code: 1,
      stderr: 'access-tokens: there is no key yet; the server makes it when it starts\n',
    });
    const pool = new pg.Pool({ connectionString: own.url });
    try {
      const store = createSigningKeyStore(pool);
      await keepAccessKey(store, 'ES256');
      await store.keep('links', () => 'a secret');
      await rotate(['--lead-minutes', '120'], { JWT_ALGORITHM: 'RS256' });
      const [, next] = await store.versions('access-tokens');
      expect(createPublicKey(next!.key).asymmetricKeyType).toBe('rsa');
      expect(next!.signsInMs).toBeGreaterThan(119 * 60_000);
      expect((await rotate(['--key', 'links'])).stdout).toBe(
        'links: version 2 signs in 1 min; the old one is accepted until what it signed has ended\n',
      );
    } finally {
      await pool.end();
    }
  }, 60_000);

  test('refuses what it does not rotate', async () => {
    const refusal = (args: string[], env?: Record<string, string>) =>
      rotate(args, env).then(
        () => 'rotated',
        ({ stderr }: { stderr: string }) => stderr,
      );
    expect(await refusal(['--key', 'fingerprints'])).toMatch(/^--key: .*access-tokens.*links/);
    expect(await refusal(['--lead-minutes', '-1'])).toMatch(/lead-minutes/);
    expect(await refusal([], { JWT_PRIVATE_KEY: makeSigningKey('ES256') })).toBe(
      'the key of access tokens is in JWT_PRIVATE_KEY: docs/keys.md tells how to change it\n',
    );
  }, 60_000);
});

describe('a master key', () => {
  let kms: KmsServer;
  let own: TestDatabase;
  beforeAll(async () => {
    [kms, own] = await Promise.all([startKmsServer(), createTestDatabase()]);
    await prepareDatabase(own.ownerUrl);
  });
  afterAll(async () => {
    await own.drop();
    await kms.stop();
  });
  const as = (masterKey: string, ...args: string[]) =>
    run(process.execPath, ['scripts/admin.ts', ...args], {
      env: { PATH: process.env['PATH'], DATABASE_URL: own.ownerUrl, MASTER_KEY: masterKey, ...kms.env },
    });
  const make = async (...args: string[]) => (await as('', 'create-master-key', ...args)).stdout;
  const register = (masterKey: string, email: string) =>
    as(masterKey, 'create-user', '--role', 'applicant', '--display-name', 'Ada', '--email', email);

  test('is made by an operator, and printed as it is given', async () => {
    expect(await make()).toMatch(/^[A-Za-z0-9+/]{43}=\n$/);
    expect(await make('--kms', kms.createKey())).toMatch(/^kms:[A-Za-z0-9+/]+=*\n$/);
    await expect(make('--kms', '8f1b')).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^AWS KMS answered NotFoundException: .*8f1b/) as string,
    });
  }, 60_000);

  test('is replaced by an operator, also by one that AWS KMS protects', async () => {
    const [old, present] = [(await make()).trim(), (await make()).trim()];
    const inKms = (await make('--kms', kms.createKey())).trim();
    await register(old, 'ada@example.org');
    await expect(register(present, 'bob@example.org')).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('MASTER_KEY does not contain the key') as string,
    });
    const rotated = await as(`${present},${old}`, 'rotate-master-key');
    expect(rotated.stdout).toMatch(/^wrapped 1 keys with the master key [\w-]{11}: no other one is needed/);
    await register(present, 'bob@example.org');
    await expect(register(old, 'eve@example.org')).rejects.toMatchObject({ code: 1 });

    const moved = await as(`${inKms},${present}`, 'rotate-master-key');
    expect(moved.stdout).toMatch(/^wrapped 2 keys with the master key/);
    await register(inKms, 'eve@example.org');
    await expect(register(present, 'dan@example.org')).rejects.toMatchObject({ code: 1 });
  }, 180_000);
});
