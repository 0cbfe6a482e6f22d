import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { withSettings } from '../../../src/adapters/postgres/connection.ts';
import { rolesNamedAfter } from '../../../src/adapters/postgres/roles.ts';
import { until } from '../../../tools/until.ts';

/** The variable with the address of the server that global-setup.ts starts, for the workers. */
export const OWNER_URL_VARIABLE = 'TEST_POSTGRES_OWNER_URL';
/** The migrated template of the tests' databases. */
export const TEMPLATE = 'chat_template';
/** The same with the read models of an empty log, for tests that only use them. */
export const TEMPLATE_WITH_READ_MODELS = 'chat_template_with_read_models';

/** The roles of the template and of its copies. */
export const ROLES = rolesNamedAfter(TEMPLATE);

export interface TestDatabase {
  /** Connects as the owner. */
  ownerUrl: string;
  /** Connects as the application's role. */
  url: string;
  drop(): Promise<void>;
}

/** Creates a migrated database in the server that jest's global setup started. */
export async function createTestDatabase(template = TEMPLATE): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await administer(...copyOf(template, name));
  const ownerUrl = databaseUrl(name);
  return {
    ownerUrl,
    url: withSettings(ownerUrl, { role: ROLES.app }),
    drop: () => drop(name),
  };
}

/** The statements that copy a database. */
export const copyOf = (template: string, name: string): string[] => [
  // A small database is copied faster as files than through the write-ahead log.
  `create database ${name} template ${template} strategy file_copy`,
  // Settings of the database itself are not copied.
  `grant create on database ${name} to ${ROLES.app}`,
];

/** Returns the owner's URL of a database. */
export function databaseUrl(database: string): string {
  const ownerUrl = process.env[OWNER_URL_VARIABLE];
  if (!ownerUrl) throw new Error(`${OWNER_URL_VARIABLE} is not set: run the tests with jest`);
  const url = new URL(ownerUrl);
  url.pathname = `/${database}`;
  return url.href;
}

/** How long recently closed connections may take to disappear. */
const LEAVING_MS = 1_000;

/**
 * A connection is closed for its client before it is for the server. If the server cut it meanwhile, its
 * client would get an error that nothing handles any more.
 */
async function drop(name: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl('postgres') });
  await client.connect();
  try {
    const isEmpty = async () =>
      (await client.query('select from pg_stat_activity where datname = $1', [name])).rowCount === 0;
    await until(isEmpty, 'the last connection to go', LEAVING_MS).catch(() => undefined);
    await client.query(`drop database if exists ${name} with (force)`);
    const own = Object.values(rolesNamedAfter(name)).join(', ');
    await client.query(`drop role if exists chat_app_${name}, ${own}`);
  } finally {
    await client.end();
  }
}

/** Runs statements in the server's `postgres` database, one after the other. */
export async function administer(...statements: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl('postgres') });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}
