import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { pino } from 'pino';
import { DataDirInUse } from '../../../src/adapters/embedded-postgres/data-dir-lock.ts';
import { openDatabase } from '../../../src/adapters/embedded-postgres/open-database.ts';

const run = promisify(execFile);
const log = pino({ level: 'silent' });

let folder: string;
let dataDir: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chat-open-'));
  dataDir = join(folder, 'data');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function startedAt(connectionString: string): Promise<string> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  const { rows } = await client.query<{ at: string }>('select pg_postmaster_start_time()::text as at');
  await client.end();
  return rows[0]!.at;
}

describe('Opening the database', () => {
  test('does not start a database that has an address', async () => {
    const databaseUrl = 'postgres://somebody@db.example.org/chat';
    const opened = await openDatabase({ databaseUrl, dataDir, log });
    expect(opened.ownerUrl).toBe(databaseUrl);
    await opened.close();
  });

  test('starts that of a folder once; later processes join unless they require to be alone', async () => {
    const first = await openDatabase({ dataDir, log });
    const second = await openDatabase({ dataDir, log });
    const started = await startedAt(first.ownerUrl);
    expect(await startedAt(second.ownerUrl)).toBe(started);
    await expect(openDatabase({ dataDir, log, exclusive: true })).rejects.toThrow(DataDirInUse);

    await second.close();
    expect(await startedAt(first.ownerUrl)).toBe(started);
    await first.close();
    await expect(startedAt(first.ownerUrl)).rejects.toThrow('ECONNREFUSED');

    const alone = await openDatabase({ dataDir, log, exclusive: true });
    expect(await startedAt(alone.ownerUrl)).not.toBe(started);
    await alone.close();
  });
});

describe('npm run admin', () => {
  const admin = (...args: string[]) =>
    run(process.execPath, ['--disable-warning=ExperimentalWarning', 'scripts/admin.ts', ...args], {
      env: { PATH: process.env['PATH'], DATA_DIR: dataDir },
    });

  test('makes an auditor, whether a server runs or not, and reports errors in one line', async () => {
    const auditor = ['create-user', '--role', 'auditor', '--display-name', 'Grace'];
    const made = await admin(...auditor, '--email', 'grace@example.org');
    expect(made.stdout).toMatch(/^created auditor grace@example\.org with id \S+\npassword: \S{20}\n$/);

    const server = await openDatabase({ dataDir, log });
    const beside = await admin(...auditor, '--email', 'hopper@example.org', '--password', 'a good password');
    expect(beside.stdout).not.toContain('password');
    await expect(admin(...auditor, '--email', 'grace@example.org')).rejects.toMatchObject({
      code: 1,
      stderr: 'the e-mail address is registered already\n',
    });
    await expect(admin('create-user', '--role', 'root', '--email', 'x@example.org')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^--role: .+\n$/),
    });
    const { stdout } = await admin('list-users');
    expect(stdout.match(/auditor {4}\S+@example\.org$/gm)).toHaveLength(2);

    const client = new pg.Client({ connectionString: server.ownerUrl });
    await client.connect();
    const { rows } = await client.query(`select type, data ->> 'role' as role from events order by position`);
    expect(rows).toStrictEqual([1, 2].map(() => ({ type: 'AccountRegistered', role: 'auditor' })));
    await client.end();
    await server.close();
  });
});
