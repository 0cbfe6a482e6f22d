import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import type pg from 'pg';
import { Client } from './client.ts';
import { type Roles, forRoles, refuseLogins, rolesNamedAfter, rolesOf } from './roles.ts';
import { inTransaction } from './transactions.ts';

/** Advisory lock of migrations, so that processes that start together apply each file once. */
const LOCK_KEY = 7_233_170_191;

const FOLDER = new URL('./migrations/', import.meta.url);

export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}

/** Called with the name of each migration, once it is applied. */
export type OnMigrated = (migration: string) => void;

/** The database has no tables of this program. */
export class EmptyDatabase extends MigrationError {}

/** What gives the owner the rights that it lacks. */
export const PREPARE = '"npm run admin -- prepare-database"';
const NOT_ALLOWED = '42501';

interface Migration {
  name: string;
  sql: string;
  checksum: string;
}

/**
 * Brings the schema up to date as the owner: each file of `folder` (NNNN-name.sql) runs once, in order, in a
 * transaction of its own, written for the roles of this database. Resolves with the names applied now; `onApplied` gets each as soon as it is. Throws
 * `MigrationError` when an applied file is missing or has changed since, or when a file fails.
 */
export async function migrate(
  ownerUrl: string,
  folder: URL = FOLDER,
  onApplied: OnMigrated = () => undefined,
): Promise<string[]> {
  const migrations = await readMigrations(folder);
  const client = new Client({ connectionString: ownerUrl, application_name: 'migrate' });
  client.on('error', () => {});
  await client.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [LOCK_KEY]);
    await client.query(
      `create table if not exists schema_migrations (
         name text primary key, checksum text not null, applied_at timestamptz not null default now())`,
    );
    const pending = await pendingOf(client, migrations);
    const roles = (await rolesOf(client)) ?? (await newRoles(client));
    for (const migration of pending) {
      await apply(client, migration, roles);
      onApplied(migration.name);
    }
    return pending.map(({ name }) => name);
  } catch (error) {
    const { message, code, cause } = error as Error & { code?: unknown };
    if (![code, (cause as typeof error as { code?: unknown } | undefined)?.code].includes(NOT_ALLOWED))
      throw error;
    throw new MigrationError(`${message}: let a superuser run ${PREPARE} first, with the same settings`, {
      cause: error,
    });
  } finally {
    await client.end();
  }
}

/**
 * Changes nothing, and rejects with `MigrationError` when the database is not of this version: for programs that only
 * look, and for users who may not migrate.
 */
export async function requireMigrated(url: string, folder: URL = FOLDER): Promise<void> {
  const migrations = await readMigrations(folder);
  const client = new Client({ connectionString: url, application_name: 'migrate' });
  client.on('error', () => {});
  await client.connect();
  try {
    const { rows } = await client.query<{ isMade: boolean }>(
      `select to_regclass('public.schema_migrations') is not null as "isMade"`,
    );
    if (!rows[0]!.isMade)
      throw new EmptyDatabase(
        'this database is empty: is the address right? A server makes its tables at its start, "npm run migrate" makes them without one',
      );
    const [pending] = await pendingOf(client, migrations);
    if (pending)
      throw new MigrationError(
        `this database is of an older version (${pending.name} is not applied yet): run "npm run migrate" as the owner first`,
      );
  } finally {
    await client.end();
  }
}

async function readMigrations(folder: URL): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => /^\d{4}-.+\.sql$/.test(name)).sort();
  return Promise.all(
    names.map(async (name) => {
      const sql = await readFile(new URL(name, folder), 'utf8');
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

async function pendingOf(client: pg.Client, migrations: Migration[]): Promise<Migration[]> {
  const { rows } = await client.query<{ name: string; checksum: string }>(
    'select name, checksum from schema_migrations order by name',
  );
  const known = new Map(migrations.map((migration) => [migration.name, migration]));
  for (const { name, checksum } of rows) {
    const file = known.get(name);
    if (!file && name > (migrations.at(-1)?.name ?? ''))
      throw new MigrationError(
        `this database is of a newer version (it has ${rows.at(-1)!.name}): use the release that made it, or a later one`,
      );
    if (!file) throw new MigrationError(`${name} was applied to this database, but its file is missing`);
    if (file.checksum !== checksum) throw new MigrationError(`${name} has changed since it was applied`);
    known.delete(name);
  }
  return [...known.values()];
}

async function newRoles(client: pg.Client): Promise<Roles> {
  const roles = rolesNamedAfter(client.database!);
  await client.query(refuseLogins(roles));
  return roles;
}

async function apply(client: pg.Client, { name, sql, checksum }: Migration, roles: Roles): Promise<void> {
  try {
    await inTransaction(client, async () => {
      await client.query(forRoles(sql, roles));
      await client.query('insert into schema_migrations (name, checksum) values ($1, $2)', [name, checksum]);
    });
  } catch (error) {
    throw new MigrationError(`${name} failed: ${(error as Error).message}`, { cause: error });
  }
}
