import pg from 'pg';
import { Client } from './client.ts';
import { type Logins, NoLogin } from './logins.ts';
import { ROLE_TAKEN, type Roles, refuseLogins, rolesNamedAfter, rolesOf } from './roles.ts';
import { scramVerifier } from './scram.ts';

/** What a server of PostgreSQL needs before a database of this program is migrated or restored. */
interface Preparation {
  database: string;
  /** Makes the roles and the users. May be repeated. */
  users: string[];
  /** Makes the database, which cannot be done in a transaction. */
  create: string;
  /** Gives the rights on the database, in the database. May be repeated. */
  rights: string[];
}

/** The administrator may not do it, or is asked for something impossible. The message tells what is missing. */
export class CannotPrepare extends Error {
  override readonly name = 'CannotPrepare';
}

const NOT_ALLOWED = '42501';
const name = (text: string) => pg.escapeIdentifier(text);
const literal = (text: string) => pg.escapeLiteral(text);
const databaseIn = (url: URL) => decodeURIComponent(url.pathname.slice(1));

function preparationOf({ ownerUrl, applicationUrl }: Logins, roles: Roles): Preparation {
  const [owner, application] = [loginIn(ownerUrl), loginIn(applicationUrl)];
  const { database } = owner;
  if (owner.user === application.user)
    throw new CannotPrepare('DATABASE_URL and DATABASE_OWNER_URL name the same user: choose two');
  if (application.database !== database)
    throw new CannotPrepare('DATABASE_URL and DATABASE_OWNER_URL name two databases: they are for one');
  return {
    database,
    users: [
      refuseLogins(roles),
      ...[roles.app, roles.sealer, roles.auditor].map((role) => makeRole(role, 'nologin')),
      ...[owner, application].flatMap(({ user, password }) => [
        makeRole(user, 'login'),
        `alter role ${name(user)} login password ${literal(scramVerifier(password))}`,
        `grant ${name(roles.app)} to ${name(user)}`,
      ]),
      // Who is no superuser gives away a database only to a role of its own.
      `do $$ begin
  if not (select rolsuper from pg_roles where rolname = current_user) then
    execute format('grant %I to current_user', ${literal(owner.user)});
  end if;
end $$`,
    ],
    create: `create database ${name(database)} owner ${name(owner.user)} template template0 encoding 'UTF8'`,
    rights: [
      `revoke connect, temporary on database ${name(database)} from public`,
      `grant connect, create, temporary on database ${name(database)} to ${name(owner.user)}`,
      `grant connect on database ${name(database)} to ${name(application.user)}`,
      `grant create on database ${name(database)} to ${name(roles.app)}`,
      `grant usage, create on schema public to ${name(owner.user)}`,
    ],
  };
}

const makeRole = (role: string, kind: 'login' | 'nologin') =>
  `do $$ begin
  if not exists (select from pg_roles where rolname = ${literal(role)}) then
    create role ${name(role)} ${kind};
  end if;
end $$`;

function loginIn(address: string): { user: string; password: string; database: string } {
  const url = new URL(address);
  const [user, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)];
  const database = databaseIn(url);
  if (user === '' || password === '' || database === '')
    throw new CannotPrepare(
      'DATABASE_URL, and DATABASE_OWNER_URL if it is set, must name a user, a password and a database',
    );
  return { user, password, database };
}

/**
 * Returns a script for psql that does the same as `prepareServer` for a database without tables. It contains no password
 * that one could log in with.
 */
export function psqlScript(logins: Logins, rolesFrom?: string): string {
  const { database, users, create, rights } = preparationOf(logins, rolesFor(logins, rolesFrom));
  const isMissing = `where not exists (select from pg_database where datname = ${literal(database)})`;
  return [
    '\\set ON_ERROR_STOP on',
    'set client_min_messages to warning;',
    ...users.map((statement) => `${statement};`),
    `select ${literal(create)} ${isMissing} \\gexec`,
    `\\connect ${name(database)}`,
    'set client_min_messages to warning;',
    ...rights.map((statement) => `${statement};`),
    '',
  ].join('\n');
}

const rolesFor = (logins: Logins, rolesFrom = databaseIn(new URL(logins.ownerUrl))) =>
  rolesNamedAfter(rolesFrom);

/**
 * Makes the roles and the database, if they are missing, and gives the rights on it, so that neither the owner nor the
 * application needs to make roles. `adminUrl` is that of a superuser, or of a role that may create roles and databases.
 * A database with tables keeps the roles that it has; for one without, they are named after it, or after the database
 * `rolesFrom`, whose dump is to be restored. Resolves with true if the database is new, and with the roles. Throws
 * `CannotPrepare`.
 */
export async function prepareServer(
  adminUrl: string,
  logins: Logins,
  rolesFrom?: string,
): Promise<{ isNew: boolean; roles: Roles }> {
  const inDatabase = new URL(adminUrl);
  inDatabase.pathname = new URL(logins.ownerUrl).pathname;
  try {
    const isNew = await asAdmin(adminUrl, async (admin) => {
      const { rowCount } = await admin.query('select from pg_database where datname = $1', [
        databaseIn(inDatabase),
      ]);
      return rowCount === 0;
    });
    const known = isNew ? undefined : await asAdmin(inDatabase.href, rolesOf).catch(unlessLost);
    const roles = known ?? rolesFor(logins, rolesFrom);
    const { users, create, rights } = preparationOf(logins, roles);
    await asAdmin(adminUrl, async (admin) => {
      for (const statement of users) await admin.query(statement);
      if (isNew) await admin.query(create);
    });
    await asAdmin(inDatabase.href, async (admin) => {
      for (const statement of rights) await admin.query(statement);
    });
    return { isNew, roles };
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error;
    if (error.code === ROLE_TAKEN) throw new CannotPrepare(error.message, { cause: error });
    if (error.code !== NOT_ALLOWED) throw error;
    const needed = 'it has to be a superuser, or a role with CREATEROLE and CREATEDB';
    throw new CannotPrepare(`the administrator may not do this (${error.message}): ${needed}`, {
      cause: error,
    });
  }
}

/** A database that has lost its rights gets new roles, and is restored again. */
function unlessLost(error: unknown): undefined {
  if (!(error instanceof NoLogin)) throw error;
}

async function asAdmin<T>(connectionString: string, work: (admin: pg.Client) => Promise<T>): Promise<T> {
  const admin = new Client({
    connectionString,
    application_name: 'prepare',
    connectionTimeoutMillis: 5_000,
  });
  admin.on('error', () => undefined);
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.end();
  }
}
