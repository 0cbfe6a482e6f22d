import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { appendFile, chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { pino } from 'pino';
import { type PostgresServer, spawnServer } from '../../../src/adapters/embedded-postgres/server.ts';
import { type Unprivileged, unprivileged } from '../../../src/adapters/os/unprivileged.ts';
import { loginsOf } from '../../../src/adapters/postgres/logins.ts';
import { prepareServer } from '../../../src/adapters/postgres/prepare-server.ts';
import { program } from '../../../tools/debian-programs.ts';
import { freePort } from '../../../tools/server-process.ts';

const run = promisify(execFile);

/** A PostgreSQL from Debian, with an administrator. */
export interface DebianPostgres {
  /** The superuser's, in the database `postgres`. */
  superuserUrl: string;
  /** The folder of its data, and the user to whom it belongs. */
  data: string;
  as: Unprivileged;
  /** Returns the users of a database, `chat_owner` and `chat_node`, as a server takes them. */
  settings(database: string): { DATABASE_URL: string; DATABASE_OWNER_URL: string };
  /**
   * Creates an empty database with these users, and the one that derives from the owner. Its roles are named after it, or
   * after the database whose dump is to be restored.
   */
  create(database: string, rolesFrom?: string): Promise<void>;
  /** Runs a statement as the superuser; by default in the database `postgres`. */
  ask<Row extends pg.QueryResultRow>(statement: string, database?: string): Promise<Row[]>;
  stop(): Promise<void>;
}

interface DebianPostgresOptions {
  /** A certificate and its key in PEM: only connections with TLS are let in. */
  tls?: { certificate: string; key: string; clientAuthority?: string };
  /** Further lines of its configuration. */
  configuration?: string;
  /** Makes its data in place of an empty server, as its user; with the password of that superuser. */
  restore?: { password: string; make(data: string, as: Unprivileged): Promise<unknown> };
}

/**
 * Starts a server of its own on a free loopback port. With an authority of clients, these need a certificate besides
 * their password.
 */
export async function startDebianPostgres({
  tls,
  configuration = '',
  restore,
}: DebianPostgresOptions = {}): Promise<DebianPostgres> {
  const folder = await mkdtemp(join(tmpdir(), 'debian-postgres-'));
  // PostgreSQL does not run as root.
  await chmod(folder, 0o711);
  const data = join(folder, 'data');
  const secret = join(folder, 'password');
  const [postgres, initdb] = [program('postgres'), program('initdb')];
  const as = await unprivileged(folder, data, postgres.command);
  const password = restore?.password ?? randomUUID();
  await writeFile(secret, password, { mode: 0o600 });
  await mkdir(data, { mode: 0o700 });
  if (as.owner) for (const path of [secret, data]) await chown(path, as.owner.uid, as.owner.gid);
  const initialized = as.command(initdb.command, [
    ...['-D', data, '-U', 'postgres', '--auth=scram-sha-256', `--pwfile=${secret}`],
    ...['--encoding=UTF8', '--locale=C', '--no-instructions'],
  ]);
  if (restore) await restore.make(data, as);
  else await run(...initialized, { ...as.identity, cwd: '/', env: { ...process.env, ...initdb.env } });
  await appendFile(join(data, 'postgresql.conf'), configuration);

  const port = await freePort();
  const given = [
    'listen_addresses=127.0.0.1,127.0.0.2',
    `port=${port}`,
    'unix_socket_directories=',
    'max_connections=300',
  ];
  if (tls) given.push(...(await tlsSettings(data, tls, as)));
  const args = ['-D', data, ...given.flatMap((setting) => ['-c', setting])];
  const addressOf = (user: string, database: string) =>
    `postgres://${user}:${password}@127.0.0.1:${port}/${database}`;
  const server: PostgresServer = spawnServer(
    as.command(postgres.command, args),
    as.identity,
    pino({ level: 'silent' }),
  );
  await server.ready(addressOf('postgres', 'postgres'));

  async function ask<Row extends pg.QueryResultRow>(
    statement: string,
    database = 'postgres',
  ): Promise<Row[]> {
    const client = new pg.Client({ connectionString: addressOf('postgres', database) });
    await client.connect();
    try {
      return (await client.query<Row>(statement)).rows;
    } finally {
      await client.end();
    }
  }

  const settings = (database: string) => ({
    DATABASE_URL: addressOf('chat_node', database),
    DATABASE_OWNER_URL: addressOf('chat_owner', database),
  });
  return {
    superuserUrl: addressOf('postgres', 'postgres'),
    ...{ data, as, ask },
    settings,
    async create(database, rolesFrom) {
      const { DATABASE_URL, DATABASE_OWNER_URL } = settings(database);
      for (const logins of [loginsOf(DATABASE_URL, DATABASE_OWNER_URL), loginsOf(DATABASE_OWNER_URL)])
        await prepareServer(addressOf('postgres', 'postgres'), logins, rolesFrom);
    },
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Writes the files of TLS. Resolves with the settings for them. */
async function tlsSettings(
  data: string,
  { certificate, key, clientAuthority }: NonNullable<DebianPostgresOptions['tls']>,
  { owner }: Awaited<ReturnType<typeof unprivileged>>,
): Promise<string[]> {
  const condition = clientAuthority === undefined ? '' : ' clientcert=verify-ca';
  const files = {
    'server.crt': certificate,
    'server.key': key,
    ...(clientAuthority !== undefined && { 'clients.crt': clientAuthority }),
    'pg_hba.conf': `host all postgres all scram-sha-256\nhostssl all all all scram-sha-256${condition}\n`,
  };
  for (const [name, content] of Object.entries(files)) {
    const path = join(data, name);
    await writeFile(path, content, { mode: 0o600 });
    if (owner) await chown(path, owner.uid, owner.gid);
  }
  return ['ssl=on', ...(clientAuthority === undefined ? [] : ['ssl_ca_file=clients.crt'])];
}
