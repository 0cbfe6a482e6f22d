import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import {
  EmptyDatabase,
  MigrationError,
  migrate,
  requireMigrated,
} from '../../../src/adapters/postgres/migrate.ts';
import { rolesNamedAfter } from '../../../src/adapters/postgres/roles.ts';
import {
  ROLES,
  administer,
  createTestDatabase,
  databaseUrl,
  type TestDatabase,
} from '../../support/stages/database.ts';

describe('migrations', () => {
  let database: TestDatabase;
  let folder: string;
  const url = () => pathToFileURL(`${folder}/`);
  const file = (name: string, sql: string) => writeFile(join(folder, name), sql);

  async function rows<T extends pg.QueryResultRow>(sql: string, at = database.ownerUrl): Promise<T[]> {
    const client = new pg.Client({ connectionString: at });
    await client.connect();
    try {
      return (await client.query<T>(sql)).rows;
    } finally {
      await client.end();
    }
  }

  beforeEach(async () => {
    const name = `migrate_${process.pid}_${Date.now()}`;
    await administer(`create database ${name}`);
    database = {
      ownerUrl: databaseUrl(name),
      url: '',
      drop: () => administer(`drop database ${name} with (force)`),
    };
    folder = await mkdtemp(join(tmpdir(), 'migrations-'));
  });
  afterEach(async () => {
    await database.drop();
    await rm(folder, { recursive: true });
  });

  test('run each file once, in the order of their names', async () => {
    await file('0002-second.sql', 'insert into a values (2);');
    await file('0001-first.sql', 'create table a (n int);');
    const applied: string[] = [];
    const migrated = await migrate(database.ownerUrl, url(), (name) => applied.push(name));
    expect(migrated).toEqual(['0001-first.sql', '0002-second.sql']);
    expect(applied).toEqual(migrated);
    await file('0003-third.sql', 'insert into a values (3);');
    expect(await migrate(database.ownerUrl, url())).toEqual(['0003-third.sql']);
    expect(await rows('select n from a order by n')).toEqual([{ n: 2 }, { n: 3 }]);
  });

  test('run once when several processes start together', async () => {
    await file('0001-first.sql', 'create table a (n int); select pg_sleep(0.05);');
    const applied = await Promise.all([1, 2, 3].map(() => migrate(database.ownerUrl, url())));
    expect(applied.flat()).toEqual(['0001-first.sql']);
  });

  test('roll back a file that fails, and name it', async () => {
    await file('0001-first.sql', 'create table a (n int); insert into a values (1 / 0);');
    await expect(migrate(database.ownerUrl, url())).rejects.toThrow(
      /0001-first\.sql failed: division by zero/,
    );
    expect(await rows(`select to_regclass('a') as a`)).toEqual([{ a: null }]);
    await file('0001-first.sql', 'create table a (n int);');
    expect(await migrate(database.ownerUrl, url())).toEqual(['0001-first.sql']);
  });

  test('stop at an applied file that has changed or is missing', async () => {
    await file('0001-first.sql', 'create table a (n int);');
    await migrate(database.ownerUrl, url());
    await file('0001-first.sql', 'create table a (n bigint);');
    await expect(migrate(database.ownerUrl, url())).rejects.toThrow(
      new MigrationError('0001-first.sql has changed since it was applied'),
    );
    await rm(join(folder, '0001-first.sql'));
    await file('0002-second.sql', 'create table b (n int);');
    await expect(migrate(database.ownerUrl, url())).rejects.toThrow(/but its file is missing/);
  });

  test('are not run on a database of a newer version, which is named', async () => {
    await file('0001-first.sql', 'create table a (n int);');
    await file('0002-second.sql', 'create table b (n int);');
    await migrate(database.ownerUrl, url());
    await rm(join(folder, '0002-second.sql'));
    const newer = /this database is of a newer version \(it has 0002-second\.sql\): use the release/;
    await expect(migrate(database.ownerUrl, url())).rejects.toThrow(newer);
    await expect(requireMigrated(database.ownerUrl, url())).rejects.toThrow(newer);
  });

  test('are missed by programs that only look, which change nothing', async () => {
    await file('0001-first.sql', 'create table a (n int);');
    await expect(requireMigrated(database.ownerUrl, url())).rejects.toThrow(EmptyDatabase);
    expect(await rows(`select to_regclass('schema_migrations') as made`)).toEqual([{ made: null }]);
    await migrate(database.ownerUrl, url());
    await requireMigrated(database.ownerUrl, url());
    await file('0002-second.sql', 'create table b (n int);');
    await expect(requireMigrated(database.ownerUrl, url())).rejects.toThrow(
      /of an older version \(0002-second\.sql is not applied yet\): run "npm run migrate"/,
    );
    expect(await rows(`select to_regclass('b') as b`)).toEqual([{ b: null }]);
  });

  test('of the project run for an owner without CREATEROLE once the role exists', async () => {
    const owner = `owner_${process.pid}`;
    await administer(`create role ${owner} login password 'x'`);
    try {
      const ownDatabase = `${owner}_db`;
      const { app } = rolesNamedAfter(ownDatabase);
      await administer(`create role ${app}`, `grant ${app} to ${owner}`);
      await administer(`create database ${ownDatabase} owner ${owner}`);
      const ownUrl = new URL(databaseUrl(ownDatabase));
      ownUrl.username = owner;
      ownUrl.password = 'x';
      expect(await migrate(ownUrl.href)).toContain('0001-event-log.sql');
      await administer(`drop database ${ownDatabase} with (force)`, `drop role ${app}`);
    } finally {
      await administer(`drop role ${owner}`);
    }
  });
});

test('A test database is migrated, and its url has the role of the application', async () => {
  const database = await createTestDatabase();
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const { rows } = await client.query('select current_user, position from log_head');
  expect(rows).toEqual([{ current_user: ROLES.app, position: '0' }]);
  await client.end();
  await database.drop();
});
