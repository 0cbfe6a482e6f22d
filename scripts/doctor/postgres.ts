import { TLSSocket } from 'node:tls';
import type pg from 'pg';
import { isUnproved } from '../../src/adapters/postgres/connection.ts';
import { createOutbox } from '../../src/adapters/postgres/notifications/outbox.ts';
import { hostsOf } from '../../src/kit/server-url.ts';
import { withDatabase } from '../with-database.ts';
import { validity } from './certificates.ts';
import { type Finding, fault, isHere, ok, warning } from './finding.ts';

/** The oldest version that the program was seen to work with. */
const OLDEST_VERSION = 150_000;
/** The most that one process takes: docs/deployment.md. */
const CONNECTIONS_OF_A_PROCESS = 45;
const SKEW_MS = { warning: 2_000, fault: 30_000 };
/** A batch is published within seconds, unless quiet hours or a digest keep it. */
const LATE_SECONDS = 600;

interface Server {
  version: number;
  shownVersion: string;
  fsync: string;
  fullPageWrites: string;
  synchronousCommit: string;
  walRecycle: string;
  maxConnections: number;
  reserved: number;
  taken: number;
  at: Date;
  migration: string;
}

/** Looks at the database: the server, its settings, the rights of the login, the clock, and what waits in it. */
export const postgresFindings = (processes: number): Promise<Finding[]> =>
  withDatabase({ name: 'doctor' }, async ({ pool, databaseUrl }) => {
    const before = Date.now();
    const server = await ask(pool);
    const skewMs = server.at.getTime() - (before + Date.now()) / 2;
    return [
      versionFinding(server),
      ok('postgresql: migrations', `this version of the program made them, up to ${server.migration}`),
      ...durabilityFindings(server),
      connectionFinding(server, processes),
      clockFinding(skewMs),
      ...(await encryptionFindings(pool, databaseUrl)),
      ...(await rightsFindings(pool)),
      ...(await queueFindings(pool)),
    ];
  });

async function ask(pool: pg.Pool): Promise<Server> {
  const { rows } = await pool.query<Server>(
    `select current_setting('server_version_num')::int as version, current_setting('server_version') as "shownVersion",
       current_setting('fsync') as fsync, current_setting('full_page_writes') as "fullPageWrites",
       current_setting('synchronous_commit') as "synchronousCommit", current_setting('wal_recycle') as "walRecycle",
       current_setting('max_connections')::int as "maxConnections",
       current_setting('superuser_reserved_connections')::int
         + coalesce(current_setting('reserved_connections', true), '0')::int as reserved,
       (select sum(numbackends)::int from pg_stat_database) as taken,
       clock_timestamp() as at,
       (select max(name) from schema_migrations) as migration`,
  );
  return rows[0]!;
}

const versionFinding = ({ version, shownVersion }: Server): Finding =>
  version >= OLDEST_VERSION
    ? ok('postgresql: version', shownVersion)
    : fault('postgresql: version', shownVersion, 'upgrade PostgreSQL to 15 or later');

function durabilityFindings({ fsync, fullPageWrites, synchronousCommit, walRecycle }: Server): Finding[] {
  const check = 'postgresql: durability';
  const off = Object.entries({ fsync, full_page_writes: fullPageWrites })
    .filter(([, value]) => value === 'off')
    .map(([name]) => name);
  return [
    off.length > 0
      ? fault(
          check,
          `${off.join(' and ')} off: a power failure destroys the log`,
          `set ${off.join(' and ')} to on`,
        )
      : synchronousCommit === 'off'
        ? warning(
            check,
            'synchronous_commit is off by default: rows beside the log may be lost after they were acknowledged',
            'set synchronous_commit to on',
          )
        : ok(check, `fsync on, synchronous_commit ${synchronousCommit}`),
    walRecycle === 'off'
      ? ok('postgresql: wal_recycle', 'off')
      : warning(
          'postgresql: wal_recycle',
          'on: recycled files keep erased text until they are full again',
          'alter system set wal_recycle = off; select pg_reload_conf(): docs/privacy.md',
        ),
  ];
}

/** Compares the connections that there are with those that so many processes may take. */
function connectionFinding({ maxConnections, reserved, taken }: Server, processes: number): Finding {
  const most = maxConnections - reserved;
  const needed = processes * CONNECTIONS_OF_A_PROCESS;
  const detail = `${taken} of ${most} in use; ${processes} processes may take ${needed}`;
  const remedy = `set max_connections to at least ${needed + reserved}, or tell --processes how many there are`;
  if (most < CONNECTIONS_OF_A_PROCESS) return fault('postgresql: connections', detail, remedy);
  return most < needed
    ? warning('postgresql: connections', detail, remedy)
    : ok('postgresql: connections', detail);
}

/** Judges by how much the clock of PostgreSQL is ahead of this machine's. */
export function clockFinding(skewMs: number): Finding {
  const check = 'postgresql: clock';
  const size = Math.abs(skewMs);
  const detail = `${(size / 1_000).toFixed(1)} s ${skewMs < 0 ? 'behind' : 'ahead of'} this machine`;
  const remedy = 'let NTP set the clocks of both machines: times of events and tokens depend on them';
  if (size > SKEW_MS.fault) return fault(check, detail, remedy);
  return size > SKEW_MS.warning ? warning(check, detail, remedy) : ok(check, detail);
}

async function encryptionFindings(pool: pg.Pool, databaseUrl: string): Promise<Finding[]> {
  const check = 'postgresql: TLS';
  const remedy = 'set sslmode=verify-full and sslrootcert in the URL: docs/tls.md';
  const client = await pool.connect();
  const { stream } = (client as unknown as pg.Client).connection;
  const certificate = stream instanceof TLSSocket ? stream.getPeerCertificate() : undefined;
  client.release();
  if (certificate !== undefined)
    return [
      isUnproved(databaseUrl)
        ? warning(check, 'encrypted, without proof of which server it is', remedy)
        : ok(check, 'encrypted, and the server is proved'),
      validity('postgresql: certificate', certificate),
    ];
  return [
    hostsOf(databaseUrl).every(({ host }) => isHere(decodeURIComponent(host)))
      ? ok(check, 'none is needed on this machine')
      : warning(check, 'not encrypted', remedy),
  ];
}

interface Rights {
  login: string;
  /** The role of the application, in which its sessions are. */
  role: string;
  owner: string;
  isPowerful: boolean;
  isOwner: boolean;
  canRead: boolean;
  canMakeReadModels: boolean;
  changes: string[];
}

/** Looks at whether the login may do what it must, and no more. */
async function rightsFindings(pool: pg.Pool): Promise<Finding[]> {
  const { rows } = await pool.query<Rights>(
    `select session_user as login, current_user as role, relowner::regrole::text as owner,
       (select rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls
        from pg_roles where rolname = session_user) as "isPowerful",
       pg_has_role(session_user, relowner, 'usage') as "isOwner",
       has_table_privilege(current_user, 'public.events', 'select') as "canRead",
       has_database_privilege(current_user, current_database(), 'create') as "canMakeReadModels",
       array(select lower(name) from unnest(array['UPDATE', 'DELETE', 'TRUNCATE']) as name
             where has_table_privilege(current_user, 'public.events', name)) as changes
     from pg_class where oid = 'public.schema_migrations'::regclass`,
  );
  const { login, role, owner, isPowerful, isOwner, canRead, canMakeReadModels, changes } = rows[0]!;
  const check = 'postgresql: rights';
  const findings: Finding[] = [];
  if (!canRead || !canMakeReadModels)
    findings.push(
      fault(
        check,
        `${role} may not ${canRead ? 'make read models' : 'read the log'}, as after a restore`,
        'run "npm run migrate" as the owner',
      ),
    );
  if (isPowerful || isOwner || changes.length > 0)
    findings.push(
      fault(
        check,
        changes.length > 0
          ? `${role} may ${changes.join(', ')} events`
          : `${login} may do more than the application needs${isOwner ? `: it is a member of the owner, ${owner}` : ''}`,
        'take the rights away, or let "npm run migrate" make another login',
      ),
    );
  return findings.length > 0
    ? findings
    : [ok(check, `${login} may append to the log and read it; ${owner} owns the database`)];
}

async function queueFindings(pool: pg.Pool): Promise<Finding[]> {
  const { waiting, oldestUnpublishedSeconds, parked } = await createOutbox({ pool }).backlog();
  const age = Math.round(oldestUnpublishedSeconds);
  return [
    parked > 0
      ? warning(
          'notifications: parked',
          `${parked} batches could not be sent`,
          'see "npm run notifications -- list-parked", then replay',
        )
      : ok('notifications: parked', 'none'),
    age > LATE_SECONDS
      ? warning(
          'notifications: waiting',
          `${waiting}, the oldest due for ${age} s`,
          'is a notifier running? See /health/ready of one',
        )
      : ok('notifications: waiting', String(waiting)),
  ];
}
