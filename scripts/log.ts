import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { EventStoreUnavailable, type EventStore, type Position } from '../src/events/event-store.ts';
import { UnreadableEvent } from '../src/events/stored-events.ts';
import { closers } from '../src/kit/closers.ts';
import { encodeHosts, parseServerUrl } from '../src/kit/server-url.ts';
import { LogsDiffer, compareLogs, copyEvents } from '../src/operations/copy-log.ts';
import { createEventStoreDbEventStore } from '../src/adapters/eventstoredb/event-store.ts';
import {
  type LogIdentity,
  OtherLog,
  identify,
  requireSameLog,
} from '../src/adapters/postgres/event-log/identity.ts';
import { createLogger } from '../src/adapters/pino/logger.ts';
import { MigrationError } from '../src/adapters/postgres/migrate.ts';
import { ReadersMoved, moveReaders, positionsIn, usersOf } from '../src/operations/move-readers.ts';
import { openDatabase } from '../src/adapters/embedded-postgres/open-database.ts';
import { createPostgresEventStore } from '../src/adapters/postgres/event-log/event-store.ts';
import { Client } from '../src/adapters/postgres/client.ts';
import { APP_ROLE, createPool } from '../src/adapters/postgres/connection.ts';
import { NoLogin, prepareDatabase } from '../src/adapters/postgres/prepare-database.ts';
import { argumentsOf } from './arguments.ts';

const USAGE = `Usage: npm run log -- copy --from <log> --to <log> [--checkpoints <database>]

  copy   copies all events of one log into another that is empty, or that an earlier copy has begun, then reads both
         from the start and compares them. A server may go on with the first log meanwhile: the next run copies the rest.

  --checkpoints   makes this database, on which no server may run any more, follow the copy from now on: its readers go
                  on where they stand, its read models are removed and made anew when a server starts

A log is esdb://<host>:<port>, postgres://<user>:<password>@<host>/<database>, or the DATA_DIR of an embedded database,
which --to creates if it does not exist; a database is one of the last two.
`;

/** A mistake of the operator, with a message for them. */
class Refused extends Error {}

interface Log {
  kind: LogIdentity['kind'];
  store: EventStore & { start(): Promise<void> };
}

const say = (line: string) => void process.stdout.write(`${line}\n`);
const count = (n: number) => n.toLocaleString('en');
const PROGRESS_MS = 2_000;
const LEAVING_MS = 1_000;

const log = createLogger({ level: 'error' });
const opened = closers(log);
const databases = new Map<string, string>();

/**
 * Returns the owner's URL of a database, or of an embedded database, which is started if no server runs it, and
 * created with `isMade` if it does not exist.
 */
async function ownerUrlOf(address: string, { isMade = false } = {}): Promise<string> {
  const known = databases.get(address);
  if (known !== undefined) return known;
  const isUrl = /^postgres(ql)?:\/\//.test(address) && parseServerUrl(address) !== undefined;
  const isFolder = !isUrl && !address.includes('://');
  if (!isUrl && !(isFolder && (isMade || existsSync(join(address, 'postgres')))))
    throw new Refused(`${withoutPassword(address)}: is neither a URL nor the folder of a database`);
  const databaseUrl = isUrl ? encodeHosts(address) : undefined;
  const database = await openDatabase({ databaseUrl, dataDir: address, log });
  opened.add('database', () => database.close());
  databases.set(address, database.ownerUrl);
  return database.ownerUrl;
}

const withoutPassword = (address: string) => address.replace(/:[^:@/]*@/, ':…@');
const isEventStoreDb = (address: string) => /^esdb(\+discover)?:\/\//.test(address);

/** `copied` is the progress of a copy: events copied before are not duplicates of later ones. */
async function openLog(address: string, copied: () => Position): Promise<Log> {
  if (isEventStoreDb(address)) {
    const ids = { find: async () => [], position: async () => copied() };
    const store = createEventStoreDbEventStore({ url: address, ids, log });
    opened.add('event store', () => store.close());
    return { kind: 'eventstoredb', store };
  }
  const url = await ownerUrlOf(address);
  const pool = createPool({ url, role: APP_ROLE, max: 2, applicationName: 'log', log });
  opened.add('pool', () => pool.end());
  const store = createPostgresEventStore({ pool, url, log });
  opened.add('event store', () => store.close());
  return { kind: 'postgresql', store };
}

async function openCheckpoints(address: string): Promise<pg.Client> {
  const client = new Client({
    connectionString: await ownerUrlOf(address),
    application_name: 'log',
    connectionTimeoutMillis: 5_000,
  });
  client.on('error', (err) => log.error({ err }, 'the connection to the database broke'));
  await client.connect();
  opened.add('checkpoints', () => client.end());
  const users = await othersThan(client);
  if (users.length > 0)
    throw new Refused(`The database is in use (${users.join(', ')}): stop every server on it first`);
  return client;
}

/** Returns the applications that use the database, after waiting for just closed connections to disappear. */
async function othersThan(client: pg.Client): Promise<string[]> {
  const deadline = performance.now() + LEAVING_MS;
  for (;;) {
    const users = await usersOf(client);
    if (users.length === 0 || performance.now() > deadline) return users;
    await pause(50);
  }
}

/** Reports the progress of the work from time to time. */
function progress(work: string, head: Position): (reached: Position) => void {
  let saidAt = performance.now();
  return (reached) => {
    if (performance.now() - saidAt < PROGRESS_MS) return;
    saidAt = performance.now();
    say(`${work} ${Math.floor((reached / head) * 100)} %`);
  };
}

async function copy({ from, to, checkpoints }: { from: string; to: string; checkpoints?: string }) {
  if (checkpoints !== undefined && isEventStoreDb(from) === isEventStoreDb(to))
    throw new Refused('--checkpoints is for a move from PostgreSQL to EventStoreDB or back');
  if (checkpoints !== undefined) await prepareDatabase(await ownerUrlOf(checkpoints));
  if (!isEventStoreDb(to)) await prepareDatabase(await ownerUrlOf(to, { isMade: true }));
  const readers = checkpoints === undefined ? undefined : await openCheckpoints(checkpoints);

  let copied: Position = 0;
  const source = await openLog(from, () => 0);
  const target = await openLog(to, () => copied);
  if (readers) await requireSameLog(readers, await identify(source.kind, source.store));

  const logs = { from: source.store, to: target.store, upTo: await source.store.head() };
  const begun = await compareLogs({ ...logs, onStep: progress('comparing', logs.upTo) });
  copied = begun.reached.to;
  await target.store.start();
  const onCopied = progress('copying', logs.upTo);
  const news = await copyEvents({
    ...logs,
    after: begun.reached.from,
    onStep(reached) {
      copied = reached.to;
      onCopied(reached.from);
    },
  });
  say(`copied ${count(news)} events after the ${count(begun.events)} that were there`);

  const wanted = readers && (await positionsIn(readers));
  const { events, digest, isWhole, positions } = await compareLogs({
    ...logs,
    ...(wanted && { wanted }),
    onStep: progress('comparing', logs.upTo),
  });
  if (!isWhole) throw new LogsDiffer(`the target has only ${count(events)} events of the source`);
  say(`source  ${count(events)} events, SHA-256 ${digest.from}`);
  say(`target  ${count(events)} events, SHA-256 ${digest.to}`);

  const grown = (await source.store.head()) > logs.upTo;
  if (!readers) {
    if (grown) say('the source has grown meanwhile: run this again to copy the new events');
    return;
  }
  if (grown) throw new Refused('The source has grown meanwhile: stop every server, and run this again');
  const identity = await identify(target.kind, target.store);
  const moved = await moveReaders(readers, { positions, identity });
  for (const { name, position } of moved.readers) say(`${name} continues at ${position}`);
  if (moved.removed.length > 0) say(`to be made anew: ${moved.removed.join(', ')}`);
  const setting = target.kind === 'eventstoredb' ? 'with EVENTSTOREDB_URL' : 'without EVENTSTOREDB_URL';
  say(`start the server ${setting} now`);
}

async function run(): Promise<void> {
  const string = { type: 'string' } as const;
  const { values, positionals } = argumentsOf(USAGE, { from: string, to: string, checkpoints: string });
  const { from, to, checkpoints } = values;
  if (positionals.join() !== 'copy' || !from || !to) throw new Refused(USAGE);
  if (checkpoints !== undefined && isEventStoreDb(checkpoints))
    throw new Refused('--checkpoints: is a database, which EventStoreDB is not');
  await copy({ from, to, ...(checkpoints !== undefined && { checkpoints }) });
}

try {
  await run();
} catch (error) {
  const isExpected =
    error instanceof Refused ||
    error instanceof LogsDiffer ||
    error instanceof OtherLog ||
    error instanceof ReadersMoved ||
    error instanceof EventStoreUnavailable ||
    error instanceof UnreadableEvent ||
    error instanceof MigrationError ||
    error instanceof NoLogin ||
    error instanceof pg.DatabaseError ||
    (error instanceof TypeError && 'code' in error);
  if (!isExpected) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
} finally {
  await opened.closeAll();
}
