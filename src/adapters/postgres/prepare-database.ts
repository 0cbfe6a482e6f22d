import pg from 'pg';
import { type OnMigrated, PREPARE, migrate, requireMigrated } from './migrate.ts';
import { Client } from './client.ts';
import { withSettings } from './connection.ts';
import { type Logins, NoLogin, loginsOf } from './logins.ts';
import { type Roles, rolesOf } from './roles.ts';
import { scramVerifier } from './scram.ts';
import { inTransaction } from './transactions.ts';

/** The roles of logins that are not the application's, see migrations/0029-roles.sql. */
export type Reader = Exclude<keyof Roles, 'app'>;

/** SQLSTATEs of a failed login, and of a role that may not be assumed. */
const REFUSED = /^(?:28...|42501|22023)$/;
/**
 * Advisory lock: processes that start together prepare the database one after the other, because concurrent
 * grants of the same right fail.
 */
const LOCK_KEY = 7_233_170_194;

/**
 * Brings the database up to date. Resolves with the URL with which the application logs in, and whose sessions start in
 * its role, which owns what they make. Where `ownerUrl` is given, the login is that of `url`, and is made. Without it,
 * `url` may be the owner's; the login's password then derives from the owner's, so that every process knows it. For any
 * other user it changes nothing, and rejects with `MigrationError` when a migration is missing. Rejects with `NoLogin`
 * when the application cannot be given a login, or has lost its rights.
 */
export async function prepareDatabase(
  url: string,
  ownerUrl?: string,
  onApplied?: OnMigrated,
): Promise<string> {
  if (ownerUrl !== undefined || (await isOwner(url))) return prepare(loginsOf(url, ownerUrl), onApplied);
  await requireMigrated(url);
  return inRole(url, await rolesAt(url));
}

/**
 * Resolves with the same URL as `prepareDatabase`, and changes nothing. Rejects with `MigrationError` when the
 * database is empty, or is of an older or a newer version, and with `NoLogin` when the login is missing.
 */
export async function requirePrepared(url: string, ownerUrl?: string): Promise<string> {
  const isShared = ownerUrl === undefined && (await isOwner(url));
  await requireMigrated(url);
  const roles = await rolesAt(url);
  if (!isShared) return inRole(url, roles);
  const login = loginsOf(url).applicationUrl;
  if (await canLogIn(login, roles.app)) return inRole(login, roles);
  const user = decodeURIComponent(new URL(login).username);
  throw new NoLogin(
    `the application's login ${user} is missing here, as in a restored backup: run "npm run migrate" first`,
  );
}

const inRole = (url: string, { app }: Roles) => withSettings(url, { role: app });

/** Resolves with the roles of a migrated database. */
async function rolesAt(url: string): Promise<Roles> {
  const client = await connect(url);
  try {
    return (await rolesOf(client))!;
  } finally {
    await client.end();
  }
}

/**
 * Makes a login with the rights of the sealer or of an auditor and no others, or changes its password. Resolves
 * with the URL with which it logs in. `ownerUrl` is the owner's. Rejects with `NoLogin` when it is not, or when
 * the owner may not make the login, and with `MigrationError` when the database is not of this version.
 */
export async function createReaderLogin(
  ownerUrl: string,
  reader: Reader,
  { user, password }: { user: string; password: string },
): Promise<string> {
  if (!(await isOwner(ownerUrl)))
    throw new NoLogin('only the owner makes logins: set DATABASE_OWNER_URL to it');
  await requireMigrated(ownerUrl);
  const url = new URL(ownerUrl);
  url.username = encodeURIComponent(user);
  url.password = encodeURIComponent(password);
  await asOwner(ownerUrl, async (owner, { [reader]: group }) => {
    const { rows } = await owner.query<{ missing: string[] }>('select prepare_reader_roles() as missing');
    if (rows[0]!.missing.includes(group))
      throw new NoLogin(
        `the owner may not create the role ${group}: let a superuser run "create role ${group} nologin", and repeat`,
      );
    await letIn(
      owner,
      url.href,
      group,
      `"create role ${pg.escapeIdentifier(user)} login password '…' in role ${pg.escapeIdentifier(group)}"`,
    );
  });
  return url.href;
}

async function prepare(
  { ownerUrl, applicationUrl }: Logins,
  onApplied: OnMigrated | undefined,
): Promise<string> {
  await migrate(ownerUrl, undefined, onApplied);
  return asOwner(ownerUrl, async (owner, roles) => {
    await giveReadModels(owner, roles);
    await letIn(owner, applicationUrl, roles.app, PREPARE);
    return inRole(applicationUrl, roles);
  });
}

/** Does the work as the owner of a migrated database, one process at a time. */
async function asOwner<T>(
  ownerUrl: string,
  work: (owner: pg.Client, roles: Roles) => Promise<T>,
): Promise<T> {
  const owner = await connect(ownerUrl);
  try {
    await owner.query('select pg_advisory_lock($1)', [LOCK_KEY]);
    return await work(owner, (await rolesOf(owner))!);
  } finally {
    await owner.end();
  }
}

/**
 * Resolves with true if the user has the rights that migrations need. A database without migrations belongs
 * to its first user.
 */
async function isOwner(url: string): Promise<boolean> {
  const client = await connect(url);
  try {
    const { rows } = await client.query<{ is_owner: boolean }>(
      `select pg_has_role(relowner, 'usage') as is_owner from pg_class where oid = to_regclass('public.schema_migrations')`,
    );
    return rows[0]?.is_owner ?? true;
  } finally {
    await client.end();
  }
}

/**
 * Grants rights that belong to a database and not to its contents: a copy or a restored backup lacks them.
 * Read models belong to the application, which makes and replaces them while it runs.
 */
const giveReadModels = (owner: pg.Client, { app }: Roles) =>
  owner.query(`
    do $$
    declare
      app constant text := ${pg.escapeLiteral(app)};
      model text;
      relation text;
    begin
      if not has_database_privilege(app, current_database(), 'create') then
        execute format('grant create on database %I to %I', current_database(), app);
      end if;
      for model in
        select nspname from pg_namespace join public.checkpoints on name = nspname
        where nspowner <> quote_ident(app)::regrole
      loop
        for relation in
          select format('%I.%I', schemaname, tablename) from pg_tables where schemaname = model
        loop
          execute format('alter table %s owner to %I', relation, app);
        end loop;
        execute format('alter schema %I owner to %I', model, app);
      end loop;
    end
    $$`);

async function canLogIn(url: string, group: string): Promise<boolean> {
  try {
    await (await connect(withSettings(url, { role: group }))).end();
    return true;
  } catch (error) {
    if (error instanceof pg.DatabaseError && REFUSED.test(error.code ?? '')) return false;
    throw error;
  }
}

/**
 * Makes sure that the login of the URL exists, can log in, and has the rights of the group and no others. `otherwise` is
 * what a superuser runs where the owner may not make it.
 */
async function letIn(owner: pg.Client, loginUrl: string, group: string, otherwise: string): Promise<void> {
  const { username, password } = new URL(loginUrl);
  const user = decodeURIComponent(username);
  const known = await roleOf(owner, user, group);
  if (known?.hasMore)
    throw new NoLogin(`the user ${user} may do more than ${group}${alsoIn(known)}: choose another one`);
  const name = pg.escapeIdentifier(user);
  if (known) await letConnect(owner, user);
  if (known && (await canLogIn(loginUrl, group))) return;
  const verifier = pg.escapeLiteral(scramVerifier(decodeURIComponent(password)));
  try {
    await inTransaction(owner, async () => {
      await owner.query(`${known ? 'alter' : 'create'} role ${name} login password ${verifier}`);
      await owner.query(`grant ${pg.escapeIdentifier(group)} to ${name}`);
    });
    await letConnect(owner, user);
  } catch (error) {
    if (!(error instanceof pg.DatabaseError) || error.code !== '42501') throw error;
    throw new NoLogin(
      `the owner may not make the login (${error.message}): let a superuser run ${otherwise}`,
      { cause: error },
    );
  }
}

/** Lets a user connect to the database, from which others may be shut out. */
const letConnect = (owner: pg.Client, user: string) =>
  owner.query(`
    do $$ begin
      if not has_database_privilege(${pg.escapeLiteral(user)}, current_database(), 'connect') then
        execute format('grant connect on database %I to %I', current_database(), ${pg.escapeLiteral(user)});
      end if;
    end $$`);

interface LoginRole {
  hasMore: boolean;
  /** The other roles that it is a member of. */
  others: string[];
}

const alsoIn = ({ others }: LoginRole) => (others.length > 0 ? ` (it is also in ${others.join(', ')})` : '');

async function roleOf(owner: pg.Client, user: string, group: string): Promise<LoginRole | undefined> {
  const { rows } = await owner.query<LoginRole>(
    `select rolname = current_user or rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls
       or others <> '{}' as "hasMore", others
     from pg_roles r cross join lateral (
       select coalesce(array_agg(roleid::regrole::text), '{}') as others
       from pg_auth_members where member = r.oid and roleid <> $2::regrole
     ) memberships
     where rolname = $1`,
    [user, pg.escapeIdentifier(group)],
  );
  return rows[0];
}

async function connect(connectionString: string): Promise<pg.Client> {
  const client = new Client({
    connectionString,
    application_name: 'prepare',
    connectionTimeoutMillis: 5_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    await client.end().catch(() => undefined);
    throw named(error as Error, client);
  }
  return client;
}

/** Adds the address and the user to the message of a connection that failed. */
function named(error: Error, { host, port, user, database }: pg.Client): Error {
  const reasons = error instanceof AggregateError ? error.errors : [error];
  const reason = reasons.map((each: Error) => each.message).join('; ');
  error.message = `PostgreSQL at ${host}:${port}, database ${database}, user ${user}: ${reason}`;
  return error;
}
