import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import pg from 'pg';
import { type KmsServer, startKmsServer } from '../support/servers/kms-server.ts';
import { type TestDatabase, createTestDatabase } from '../support/stages/database.ts';

const run = promisify(execFile);

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
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
    code: 1,
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
      await expect(asked).rejects.toMatchObject({ code: 1, stderr: expect.stringMatching(`^${option}: `) });
    }
  } finally {
    await owner(`drop role ${user}`);
  }
}, 60_000);

describe('a master key', () => {
  let kms: KmsServer;
  let own: TestDatabase;
  beforeAll(async () => {
    [kms, own] = await Promise.all([startKmsServer(), createTestDatabase()]);
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
