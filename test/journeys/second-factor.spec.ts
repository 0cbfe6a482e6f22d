import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { Secret, TOTP } from 'otpauth';
import pg from 'pg';
import { type ServerProcess, startServer } from '../../tools/server-process.ts';
import { until } from '../../tools/until.ts';
import { RESET, confirmAddress, linkIn, tokenOf } from '../support/journeys/account-letters.ts';
import { type MailServer, startMailServer } from '../support/servers/mail-server.ts';
import { type Answer, type Person, type TestApp, startApp } from '../support/stages/app.ts';
import { type TestDatabase, createTestDatabase } from '../support/stages/database.ts';

const run = promisify(execFile);
/** Runs `npm run admin` on a database. Resolves with what it printed. */
const admin = async (databaseUrl: string, ...args: string[]) => {
  const { stdout } = await run(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', 'scripts/admin.ts', ...args],
    { env: { PATH: process.env['PATH'], DATABASE_URL: databaseUrl } },
  );
  return stdout;
};

const STEP_MS = 30_000;
const codeOf = (secret: string, steps = 0) =>
  TOTP.generate({ secret: Secret.fromBase32(secret), timestamp: Date.now() + steps * STEP_MS });
const wrongCode = (secret: string) =>
  ['000000', '111111', '222222', '333333', '444444'].find(
    (code) => ![-2, -1, 0, 1, 2].some((steps) => codeOf(secret, steps) === code),
  )!;
const refusal = ({ status, body }: Answer) => [status, body['code']];

interface Described {
  paths: Record<string, Record<string, { operationId: string; security?: object[] }>>;
}

describe('a second factor', () => {
  let app: TestApp;
  let mail: MailServer;
  let database: pg.Client;
  beforeAll(async () => {
    mail = await startMailServer();
    app = await startApp({
      SMTP_URL: mail.url,
      MAIL_FROM: 'Jobs <jobs@example.org>',
      AUDITOR_TOTP: 'required',
      FAILED_LOGINS_PER_MINUTE: '10',
    });
    database = new pg.Client({ connectionString: app.databaseUrl });
    await database.connect();
  }, 60_000);
  afterAll(async () => {
    await database?.end();
    await app?.stop();
    await mail?.close();
  });

  const begin = (as: Person) => app.ask('POST', '/v1/me/totp', { as, body: { password: as.password } });
  const confirm = (as: Person, code: unknown) =>
    app.ask('POST', '/v1/me/totp/confirm', { as, body: { code } });
  const remove = (as: Person, code: string, password = as.password) =>
    app.ask('DELETE', '/v1/me/totp', { as, body: { password, code } });
  const logIn = (
    { email, password }: Pick<Person, 'email' | 'password'>,
    code?: unknown,
    path = '/v1/auth/login',
  ) => app.ask('POST', path, { body: { email, password, code } });
  const me = async (as: Person) => (await app.ask('GET', '/v1/me', { as })).body;

  /** Sets up a second factor. Its secret, and its recovery codes. */
  async function setUp(as: Person) {
    const begun = await begin(as);
    if (begun.status !== 201) throw new Error(begun.text);
    const { secret } = begun.body as { secret: string };
    const confirmed = await confirm(as, codeOf(secret));
    if (confirmed.status !== 200) throw new Error(confirmed.text);
    return { secret, ...(confirmed.body as { recoveryCodes: string[] }) };
  }
  /** Makes all codes that were used older, as if their steps had passed. */
  const stepsPass = ({ userId }: Person) =>
    database.query('update second_factors set last_step = last_step - 9 where user_id = $1', [userId]);

  test('is set up, asked for at each login, and removed', async () => {
    const ada = await app.register('applicant', 'Ada');
    const other = await app.logIn(ada);
    expect(await me(ada)).toMatchObject({ totpEnabled: false });
    const begun = await begin(ada);
    expect(begun.status).toBe(201);
    expect(begun.body).toEqual({
      secret: expect.stringMatching(/^[A-Z2-7]{32}$/),
      otpauthUrl: expect.stringMatching(/^otpauth:\/\/totp\/slay-e-chatapp:/),
    });
    const { secret } = begun.body as { secret: string };
    expect((await logIn(ada)).status).toBe(200);
    expect(await me(ada)).toMatchObject({ totpEnabled: false });

    const first = codeOf(secret);
    const confirmed = await confirm(ada, first);
    const { recoveryCodes } = confirmed.body as { recoveryCodes: string[] };
    expect([confirmed.status, new Set(recoveryCodes).size]).toEqual([200, 10]);
    expect(await me(ada)).toMatchObject({ totpEnabled: true });
    expect(refusal(await app.ask('GET', '/v1/me', { as: other }))).toEqual([401, 'TOKEN_REVOKED']);
    expect(refusal(await begin(ada))).toEqual([409, 'TOTP_ENABLED']);

    for (const path of ['/v1/auth/login', '/login']) {
      const asked = await logIn(ada, undefined, path);
      expect(refusal(asked)).toEqual([401, 'TOTP_REQUIRED']);
      expect(asked.headers.get('www-authenticate')).toBe('Bearer');
      expect(refusal(await logIn(ada, null, path))).toEqual([401, 'TOTP_REQUIRED']);
      expect(refusal(await logIn({ ...ada, password: 'a guess' }, undefined, path))).toEqual([
        401,
        'BAD_CREDENTIALS',
      ]);
    }
    expect(refusal(await logIn(ada, first))).toEqual([401, 'TOTP_INVALID']);
    const code = codeOf(secret, 1);
    const session = await logIn(ada, code);
    expect(session.status).toBe(200);
    expect(refusal(await logIn(ada, code))).toEqual([401, 'TOTP_INVALID']);
    const { refreshToken } = session.body;
    expect((await app.ask('POST', '/v1/auth/refresh', { body: { refreshToken } })).status).toBe(200);
    expect((await logIn(ada, recoveryCodes[0])).status).toBe(200);
    expect(refusal(await logIn(ada, recoveryCodes[0]))).toEqual([401, 'TOTP_INVALID']);

    await stepsPass(ada);
    expect(refusal(await remove(ada, codeOf(secret), 'a guess'))).toEqual([403, 'BAD_CREDENTIALS']);
    expect(refusal(await remove(ada, wrongCode(secret)))).toEqual([403, 'TOTP_INVALID']);
    expect((await remove(ada, codeOf(secret))).status).toBe(204);
    expect(refusal(await remove(ada, codeOf(secret)))).toEqual([409, 'TOTP_NOT_SET_UP']);
    expect(await me(ada)).toMatchObject({ totpEnabled: false });
    expect((await logIn(ada)).status).toBe(200);
  });

  test('stays after a password reset by mail and a new password', async () => {
    const ada = await app.register('applicant', 'Ada');
    await confirmAddress(mail, ada.email);
    const { secret, recoveryCodes } = await setUp(ada);
    await app.ask('POST', '/v1/auth/password-reset', { body: { email: ada.email } });
    const token = tokenOf(await linkIn(mail, ada.email, RESET));
    const password = randomUUID();
    const reset = await app.ask('POST', '/v1/auth/password-reset/confirm', { body: { token, password } });
    expect(reset.status).toBeLessThan(300);
    const renewed = { ...ada, password };
    expect(refusal(await logIn(renewed))).toEqual([401, 'TOTP_REQUIRED']);
    expect(refusal(await logIn(ada, recoveryCodes[0]))).toEqual([401, 'BAD_CREDENTIALS']);
    const answer = await logIn(renewed, codeOf(secret, 1));
    const { accessToken } = answer.body as { accessToken: string };
    const body = { currentPassword: password, newPassword: randomUUID() };
    const as = { ...renewed, accessToken };
    expect((await app.ask('PUT', '/v1/me/password', { as, body })).status).toBe(204);
    expect(refusal(await logIn({ ...ada, password: body.newPassword }))).toEqual([401, 'TOTP_REQUIRED']);
  });

  test('cannot be guessed: the eleventh try of a minute is refused, also with the right code', async () => {
    const ada = await app.register('applicant', 'Ada');
    const { secret } = await setUp(ada);
    const guesses = await Promise.all(Array.from({ length: 30 }, () => logIn(ada, wrongCode(secret))));
    const codes = guesses.map((each) => each.body['code']);
    expect(codes.filter((code) => code === 'TOTP_INVALID')).toHaveLength(10);
    expect(codes.filter((code) => code === 'RATE_LIMITED')).toHaveLength(20);
    const refused = await logIn(ada, codeOf(secret, 1));
    expect(refusal(refused)).toEqual([429, 'RATE_LIMITED']);
    expect(refused.headers.get('ratelimit-policy')).toBe('"failed-logins";q=10;w=60');
    expect(refusal(await remove(ada, codeOf(secret, 1)))).toEqual([429, 'RATE_LIMITED']);
  });

  test('refuses malformed bodies, and treats any other code as wrong', async () => {
    const ada = await app.register('applicant', 'Ada');
    expect(refusal(await confirm(ada, '123456'))).toEqual([409, 'TOTP_NOT_SET_UP']);
    await begin(ada);
    for (const code of [123456, ['123456'], {}, '', 'x'.repeat(101), '12\u000056', '\ud800', undefined, null])
      expect(refusal(await confirm(ada, code))).toEqual([400, 'BAD_REQUEST']);
    for (const body of [{}, { password: 1 }, { password: ada.password, secret: 'AAAA' }, [], null])
      expect(refusal(await app.ask('POST', '/v1/me/totp', { as: ada, body }))).toEqual([400, 'BAD_REQUEST']);
    for (const code of ['１２３４５６', '12345', 'x', '0x1234', '-12345'])
      expect(refusal(await confirm(ada, code))).toEqual([403, 'TOTP_INVALID']);
    expect(await me(ada)).toMatchObject({ totpEnabled: false });
  });

  test('appears in no log line and in no kept answer', async () => {
    const ada = await app.register('applicant', 'Ada');
    const headers = { 'idempotency-key': randomUUID() };
    const begun = await app.ask('POST', '/v1/me/totp', {
      as: ada,
      body: { password: ada.password },
      headers,
    });
    const { secret } = begun.body as { secret: string };
    const body = { code: codeOf(secret) };
    const confirmed = await app.ask('POST', '/v1/me/totp/confirm', { as: ada, body, headers });
    const { recoveryCodes } = confirmed.body as { recoveryCodes: string[] };
    await logIn(ada, wrongCode(secret));
    const { rows: kept } = await database.query('select * from idempotency_keys');
    const { rows: events } = await database.query('select data, metadata from events');
    const written = JSON.stringify([app.lines(), kept, events]);
    for (const word of [secret, ...recoveryCodes]) expect(written).not.toContain(word);
  });

  describe('that auditors are required to have', () => {
    test('closes every other call to them until they have it', async () => {
      const auditor = await app.hireAuditor();
      const { paths } = (await app.ask('GET', '/openapi.json')).body as unknown as Described;
      const operations = Object.entries(paths).flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, described]) => ({ path, method, ...described })),
      );
      const open = new Set(['getMe', 'logOut', 'beginTotp', 'confirmTotp', 'removeTotp']);
      // Others are for clients, or for everybody.
      const secured = operations.filter(
        ({ security }) => security === undefined || security.some((way) => Object.hasOwn(way, 'bearer')),
      );
      expect(secured.length).toBeGreaterThan(30);
      const refused: string[] = [];
      for (const { path, method, operationId } of secured) {
        if (operationId === 'logOut') continue;
        const url = path.replaceAll(/\{\w+\}/g, randomUUID());
        const answer = await app.ask(method.toUpperCase(), url, { as: auditor });
        if (answer.body['code'] === 'SECOND_FACTOR_REQUIRED') refused.push(operationId);
      }
      const closed = secured.map(({ operationId }) => operationId).filter((name) => !open.has(name));
      expect(refused.toSorted()).toEqual(closed.toSorted());

      const { secret } = await setUp(auditor);
      expect((await app.ask('GET', '/v1/me/sessions', { as: auditor })).status).toBe(200);
      expect(refusal(await logIn(auditor))).toEqual([401, 'TOTP_REQUIRED']);
      await stepsPass(auditor);
      expect((await remove(auditor, codeOf(secret))).status).toBe(204);
      expect(refusal(await app.ask('GET', '/v1/me/sessions', { as: auditor }))).toEqual([
        403,
        'SECOND_FACTOR_REQUIRED',
      ]);
      expect((await app.ask('POST', '/v1/auth/logout', { as: auditor })).status).toBe(204);
    }, 60_000);

    test('leaves everybody else alone', async () => {
      const ada = await app.register('applicant', 'Ada');
      expect((await app.ask('GET', '/v1/groups', { as: ada })).status).toBe(200);
    });
  });
});

describe('a second factor on two nodes', () => {
  let database: TestDatabase;
  let nodes: ServerProcess[];
  let setUp: { email: string; password: string; secret: string };

  beforeAll(async () => {
    database = await createTestDatabase();
    const create = (email: string, ...more: string[]) =>
      admin(
        database.ownerUrl,
        ...['create-user', '--role', 'auditor', '--display-name', 'Eve', '--email', email, ...more],
      );
    await create('without@example.org');
    const printed = await create('eve@example.org', '--totp');
    const [, password, secret, url] =
      /^password: (\S+)\nsecret of the second factor: ([A-Z2-7]{32})\n(otpauth:\S+)$/m.exec(printed) ?? [];
    expect(new URL(url!).searchParams.get('secret')).toBe(secret);
    setUp = { email: 'eve@example.org', password: password!, secret: secret! };
    nodes = await Promise.all(
      [0, 1].map(() =>
        startServer({ env: { DATABASE_URL: database.ownerUrl, FAILED_LOGINS_PER_MINUTE: '1000' } }),
      ),
    );
  }, 120_000);
  afterAll(async () => {
    for (const node of nodes ?? []) {
      await node.killTree();
      await rm(node.dataDir, { recursive: true, force: true });
    }
    await database?.drop();
  }, 60_000);

  const logIn = async (node: ServerProcess, code?: string) => {
    const { email, password } = setUp;
    const response = await fetch(new URL('/v1/auth/login', node.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email, password, code }),
    });
    const { code: refused } = (await response.json()) as { code?: string };
    return refused ?? response.status;
  };

  test('lets one of many logins on both use a code', async () => {
    expect(await logIn(nodes[0]!)).toBe('TOTP_REQUIRED');
    const client = new pg.Client({ connectionString: database.ownerUrl });
    await client.connect();
    for (let round = 0; round < 5; round += 1) {
      const code = codeOf(setUp.secret);
      const outcomes = await Promise.all(Array.from({ length: 10 }, (_, n) => logIn(nodes[n % 2]!, code)));
      expect(outcomes.filter((outcome) => outcome === 200)).toHaveLength(1);
      expect(outcomes.filter((outcome) => outcome === 'TOTP_INVALID')).toHaveLength(9);
      await client.query('update second_factors set last_step = last_step - 9');
    }
    await client.end();
  }, 60_000);

  test('is missed in one line of the log at the start', async () => {
    for (const node of nodes) {
      const lines = node
        .output()
        .split('\n')
        .filter((line) => line.includes('without a second factor'));
      expect(lines).toHaveLength(1);
      expect(JSON.parse(lines[0]!)).toMatchObject({ level: 'warn', auditors: 1 });
    }
  });

  test('is removed by an operator', async () => {
    const reset = () => admin(database.ownerUrl, 'reset-totp', '--email', setUp.email);
    expect(await admin(database.ownerUrl, 'list-users')).toMatch(/eve@example\.org {2}\(second factor\)$/m);
    expect(await reset()).toContain('removed the second factor');
    await until(async () => (await logIn(nodes[1]!)) === 200, 'the login without a code');
    await expect(reset()).rejects.toMatchObject({
      code: 1,
      stderr: 'eve@example.org has no second factor\n',
    });
  }, 60_000);
});
