import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
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
