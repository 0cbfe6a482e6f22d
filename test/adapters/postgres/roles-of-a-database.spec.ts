import pg from 'pg';
import { migrate } from '../../../src/adapters/postgres/migrate.ts';
import { NoLogin } from '../../../src/adapters/postgres/logins.ts';
import { forRoles, rolesNamedAfter, rolesOf } from '../../../src/adapters/postgres/roles.ts';
import { prepareDatabase } from '../../../src/adapters/postgres/prepare-database.ts';
import { ROLES, administer, createTestDatabase, databaseUrl } from '../../support/stages/database.ts';

async function inDatabase<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

describe('The names of the roles', () => {
  test('are those of the database, where PostgreSQL allows them', () => {
    expect(rolesNamedAfter('jobs')).toEqual({
      app: 'jobs_app',
      sealer: 'jobs_sealer',
      auditor: 'jobs_auditor',
    });
  });

  test.each([
    ['Jobs "of" the board', /^chat_jobs_of_the_board_[0-9a-f]{8}_app$/],
    ['数据库', /^chat___[0-9a-f]{8}_app$/],
    ['pg_jobs', /^chat_pg_jobs_[0-9a-f]{8}_app$/],
    ["it's; drop database x --\n", /^chat_it_s_drop_database_x__[0-9a-f]{8}_app$/],
    ['j'.repeat(56), /^chat_j{32}_[0-9a-f]{8}_app$/],
  ])('of the database %j are plain, and no longer than 63 bytes', (database, name) => {
    const { app, auditor } = rolesNamedAfter(database);
    expect(app).toMatch(name);
    expect(Buffer.byteLength(auditor)).toBeLessThanOrEqual(63);
  });

  test('differ for databases whose names look alike', () => {
    const names = ['Jobs', 'jobs!', 'jobs?', 'jobs', 'j'.repeat(60), 'j'.repeat(61)];
    expect(new Set(names.map((name) => rolesNamedAfter(name).app)).size).toBe(names.length);
  });

  test('take the place of those of version 0.1 in a migration', () => {
    const roles = { app: 'a "b"', sealer: "s'", auditor: 'c' };
    expect(forRoles(`grant x to chat_app; if r = 'chat_sealer' -- chat_auditor, chat_app_jobs`, roles)).toBe(
      `grant x to "a ""b"""; if r = 's''' -- "c", chat_app_jobs`,
    );
  });
});

test.each([`Board's "jobs" ${process.pid}`, `board_${'x'.repeat(48)}_${process.pid}`.slice(0, 63)])(
  'The database %j is migrated, and its application reads the log',
  async (database) => {
    const name = pg.escapeIdentifier(database);
    await administer(`create database ${name}`);
    const url = databaseUrl(encodeURIComponent(database));
    let user: string | undefined;
    try {
      for (let n = 0; n < 2; n += 1) {
        const prepared = await prepareDatabase(url);
        user = decodeURIComponent(new URL(prepared).username);
        await inDatabase(prepared, (client) => client.query('select from events; create schema mine'));
        await inDatabase(url, (client) => client.query('drop schema mine'));
      }
    } finally {
      await administer(`drop database ${name} with (force)`);
      for (const role of [user, ...Object.values<string>({ ...rolesNamedAfter(database) })])
        if (role !== undefined) await administer(`drop role if exists ${pg.escapeIdentifier(role)}`);
    }
  },
);

test('A copy of a database has its roles, whoever else may read its tables', async () => {
  const database = await createTestDatabase();
  const reporting = `a_${process.pid}_app`;
  try {
    await administer(`create role ${reporting}`);
    await inDatabase(database.ownerUrl, async (owner) => {
      await owner.query(`grant select on all tables in schema public to ${reporting}`);
      expect(await rolesOf(owner)).toEqual(ROLES);
    });
  } finally {
    await database.drop();
    await administer(`drop role ${reporting}`);
  }
});

test('A role that can log in is not taken for one of the new database', async () => {
  const database = `taken_${process.pid}`;
  await administer(`create database ${database}`, `create role ${database}_app login`);
  try {
    await expect(migrate(databaseUrl(database))).rejects.toThrow(
      `the role ${database}_app can log in, so it is none of this program: rename it, or the database`,
    );
  } finally {
    await administer(`drop database ${database} with (force)`, `drop role ${database}_app`);
  }
});

test('A database that has lost its roles says what to do', async () => {
  const database = `lost_${process.pid}`;
  await administer(`create database ${database}`);
  try {
    await prepareDatabase(databaseUrl(database));
    await inDatabase(databaseUrl(database), async (owner) => {
      await owner.query(`drop owned by ${database}_app`);
      await expect(rolesOf(owner)).rejects.toThrow(NoLogin);
    });
    await expect(prepareDatabase(databaseUrl(database))).rejects.toThrow(
      /as after a restore without its roles/,
    );
  } finally {
    await administer(`drop database ${database} with (force)`);
    await administer(
      `drop role chat_app_${database}, ${Object.values(rolesNamedAfter(database)).join(', ')}`,
    );
  }
});
