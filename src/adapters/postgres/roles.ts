import { createHash } from 'node:crypto';
import pg from 'pg';
import { NoLogin } from './logins.ts';

/** The group roles of a database. None of them can log in. */
export interface Roles {
  /** Reads the log, appends to it, and owns the read models. */
  app: string;
  /** Reads the log and keeps the seals. */
  sealer: string;
  /** Reads the log and the seals. */
  auditor: string;
}

/** PostgreSQL reserves names that begin with "pg_", and cuts names off at 63 bytes. */
const SIMPLE = /^(?!pg_)[a-z_][a-z0-9_]{0,54}$/;

/** Returns the names of the roles of a new database: `jobs_app`, `jobs_sealer` and `jobs_auditor` for `jobs`. */
export const rolesNamedAfter = (database: string): Roles => rolesBeside(`${prefixOf(database)}_app`);

function prefixOf(database: string): string {
  if (SIMPLE.test(database)) return database;
  const readable = database
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .slice(0, 32);
  const hash = createHash('sha256').update(database).digest('hex').slice(0, 8);
  return `chat_${readable}_${hash}`;
}

function rolesBeside(app: string): Roles {
  const prefix = app.replace(/_app$/, '');
  return { app, sealer: `${prefix}_sealer`, auditor: `${prefix}_auditor` };
}

/**
 * Resolves with the roles to which the database of the connection gives its rights, or with undefined where it has no
 * tables. The rights tell more than the name of the database, which changes when it is renamed, copied, or restored
 * under another name. Throws `NoLogin`.
 */
export async function rolesOf(client: pg.Client | pg.Pool): Promise<Roles | undefined> {
  // Executing append_events() is the application's alone. While the first migrations run, only it may read `streams`.
  const { rows } = await client.query<{ database: string; isMade: boolean; app: string | null }>(
    `select current_database() as database, to_regclass('public.streams') is not null as "isMade", (
       select rolname
       from (
         select proacl as acl, proowner as owner, 'EXECUTE' as privilege, 1 as rank
         from pg_proc where pronamespace = 'public'::regnamespace and proname = 'append_events'
         union all
         select relacl, relowner, 'SELECT', 2 from pg_class where oid = to_regclass('public.streams')
       ) made
       cross join aclexplode(acl) granted
       join pg_roles on pg_roles.oid = grantee
       where grantee <> owner and privilege_type = privilege
       order by rank, rolname like '%\\_app' desc, rolname
       limit 1
     ) as app`,
  );
  const { database, isMade, app } = rows[0]!;
  if (app !== null) return rolesBeside(app);
  if (!isMade) return undefined;
  throw new NoLogin(
    `no role may append to the log in the database ${database}, as after a restore without its roles: let a superuser run "npm run admin -- prepare-database", and restore the backup again`,
  );
}

/** SQLSTATE of a role that belongs to somebody else. */
export const ROLE_TAKEN = '42710';

/** Returns a statement that fails where one of the roles can log in, because it then belongs to somebody else. */
export const refuseLogins = ({ app, sealer, auditor }: Roles): string => `do $$ declare taken name; begin
  select rolname into taken from pg_roles
  where rolname in (${[app, sealer, auditor].map((role) => pg.escapeLiteral(role)).join(', ')}) and rolcanlogin limit 1;
  if found then
    raise exception 'the role % can log in, so it is none of this program: rename it, or the database', taken
      using errcode = '${ROLE_TAKEN}';
  end if;
end $$`;

/** Returns a migration for the database with these roles: migrations are written for those of the database `chat`. */
export const forRoles = (sql: string, roles: Roles): string =>
  sql.replaceAll(/(')?\bchat_(app|sealer|auditor)\b\1/g, (_, quote: string | undefined, kind: keyof Roles) =>
    quote ? pg.escapeLiteral(roles[kind]) : pg.escapeIdentifier(roles[kind]),
  );
