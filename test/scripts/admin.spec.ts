import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import pg from 'pg';
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

test('An operator can replace the master key of personal text', async () => {
  const own = await createTestDatabase();
  const [old, present] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')];
  const as = (masterKey: string, ...args: string[]) =>
    run(process.execPath, ['scripts/admin.ts', ...args], {
      env: { PATH: process.env['PATH'], DATABASE_URL: own.ownerUrl, MASTER_KEY: masterKey },
    });
  const register = (masterKey: string, email: string) =>
    as(masterKey, 'create-user', '--role', 'applicant', '--display-name', 'Ada', '--email', email);
  try {
    await register(old, 'ada@example.org');
    await expect(register(present, 'bob@example.org')).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('MASTER_KEY does not contain the key') as string,
    });
    const rotated = await as(`${present},${old}`, 'rotate-master-key');
    expect(rotated.stdout).toMatch(/^wrapped 1 keys with the master key [\w-]{11}: no other one is needed/);
    await register(present, 'bob@example.org');
    await expect(register(old, 'eve@example.org')).rejects.toMatchObject({ code: 1 });
  } finally {
    await own.drop();
  }
}, 180_000);
