import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { type TestDatabase, createTestDatabase } from '../support/stages/database.ts';
import { freePort } from '../../tools/server-process.ts';

const ROOT = join(import.meta.dirname, '../..');

const run = (env: Record<string, string>, script: string, ...args: string[]) =>
  new Promise<{ code: number; out: string; err: string }>((resolve) =>
    execFile(
      process.execPath,
      [script, ...args],
      { cwd: ROOT, env: { PATH: process.env['PATH'], ...env } },
      (error, out, err) => resolve({ code: (error?.code as number | undefined) ?? 0, out, err }),
    ),
  );

const scripts = [
  ...[
    'scripts/admin.ts',
    'scripts/audit.ts',
    'scripts/cluster.ts',
    'scripts/doctor.ts',
    'scripts/log.ts',
    'scripts/migrate.ts',
  ],
  ...['scripts/notifications.ts', 'scripts/projections.ts', 'bench/run.ts'],
];
/** Programs that look at the database. */
const looks = [
  ['scripts/admin.ts', 'list-users'],
  ['scripts/admin.ts', 'show-queue'],
  ['scripts/audit.ts', 'events'],
  ['scripts/notifications.ts', 'list-parked'],
  ['scripts/projections.ts', 'status'],
] as const;

describe.each(scripts)('%s', (script) => {
  test('prints its usage for --help', async () => {
    const { code, out, err } = await run({}, script, '--help');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(
      /npm run (--silent )?(admin|audit|cluster|doctor|log|migrate|notifications|projections|bench)/,
    );
  });

  test('names an unknown option, before its usage', async () => {
    const { code, out, err } = await run({}, script, '--bogus');
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/^Unknown option '--bogus'\n\n.*npm run /);
  });
});

describe('A program that only looks', () => {
  let folder: string;
  let database: TestDatabase;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chat-programs-'));
    database = await createTestDatabase('template1');
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
    await database.drop();
  });

  test.each(looks)('makes no database where there is none: %s %s', async (...command) => {
    const data = join(folder, 'absent');
    const { code, out, err } = await run({ DATA_DIR: data }, ...command);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toBe(`there is no database in ${data}: set DATA_DIR or DATABASE_URL as for the server\n`);
    expect(existsSync(data)).toBe(false);
  });

  test.each(looks)('leaves an empty database empty: %s %s', async (...command) => {
    const { code, out, err } = await run({ DATABASE_URL: database.ownerUrl }, ...command);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(/^this database is empty: is the address right\? .*"npm run migrate".*\n$/);
    const client = new pg.Client({ connectionString: database.ownerUrl });
    await client.connect();
    const { rows } = await client.query(`select from pg_tables where schemaname = 'public'`);
    await client.end();
    expect(rows).toHaveLength(0);
  });

  test.each(looks)('says in one line that PostgreSQL is out of reach: %s %s', async (...command) => {
    const url = `postgres://chat:s3cret@127.0.0.1:${await freePort()}/jobs`;
    const { code, out, err } = await run({ DATABASE_URL: url }, ...command);
    expect({ code, out }).toEqual({ code: 3, out: '' });
    expect(err).toMatch(
      /^PostgreSQL at 127\.0\.0\.1:\d+, database jobs, user chat: connect ECONNREFUSED .*\n$/,
    );
    expect(err).not.toContain('s3cret');
    const asJson = await run({ DATABASE_URL: url }, ...command, '--json');
    expect(JSON.parse(asJson.err)).toEqual({ error: err.trimEnd(), code: 3 });
  });
});

test('A program tells what is wrong with the settings, with code 2', async () => {
  const { code, err } = await run({ DATABASE_URL: 'mysql://db' }, 'scripts/projections.ts', 'status');
  expect(code).toBe(2);
  expect(err).toMatch(/^DATABASE_URL must be .*\n$/);
});

test('scripts/cluster.ts refuses an address that is no EventStoreDB', async () => {
  const { code, err } = await run({}, 'scripts/cluster.ts', '--eventstoredb', 'http://user:secret@node1');
  expect(code).toBe(1);
  expect(err).toMatch(/^EVENTSTOREDB_URL must be a URL like esdb:.* not http:\/\/\*\*\*@node1\n$/);
});
