import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { EventStoreUnavailable, type EventStore, type Position } from '../src/events/event-store.ts';
import { UnreadableEvent } from '../src/events/stored-events.ts';
import { sleep } from '../src/kit/back-off.ts';
import { closers } from '../src/kit/closers.ts';
import { CommonPart, LogsDiffer, type Target, compareLogs, copyLog } from '../src/operations/copy-log.ts';
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
import { APP_ROLE, createPool } from '../src/adapters/postgres/connection.ts';
import { NoLogin, prepareDatabase } from '../src/adapters/postgres/prepare-database.ts';
import { argumentsOf } from './arguments.ts';
import { createEventStoreDbTarget, createPostgresTarget } from './log/targets.ts';

const USAGE = `Usage: npm run log -- copy --from <log> --to <log> [--follow] [--checkpoints <database>]

  copy   copies all events of one log into another that is empty, or that an earlier copy has begun, and reads both and
         compares them. A server may go on with the first log meanwhile: the next run copies the rest. A copy that was
         interrupted goes on when it is run again.

  --follow        goes on copying what is appended to the first log, until Ctrl-C (SIGINT) or SIGTERM; then copies and
                  compares the rest and ends. A second Ctrl-C ends it at once
  --checkpoints   makes this database, on which no server may run any more, follow the copy from now on: its readers go
                  on where they stand, its read models are removed and made anew when a server starts. With --follow,
                  stop the servers before Ctrl-C

A log is esdb://<host>:<port>, postgres://<user>:<password>@<host>/<database>, or the DATA_DIR of an embedded database,
which --to creates if it does not exist; a database is one of the last two.
`;

/** A mistake of the operator, with a message for them. */
class Refused extends Error {}

interface Log {
  kind: LogIdentity['kind'];
  store: Pick<EventStore, 'readAll' | 'head'>;
}

const say = (line: string) => void process.stdout.write(`${line}\n`);
const count = (n: number) => Math.round(n).toLocaleString('en');
const PROGRESS_MS = 2_000;
const FOLLOWING_MS = 10_000;
const POLL_MS = 200;
const LEAVING_MS = 1_000;
const APPLICATION = 'log';

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
  const isUrl = /^postgres(ql)?:\/\//.test(address);
  const isFolder = !isUrl && !address.includes('://');
  if (!isUrl && !(isFolder && (isMade || existsSync(join(address, 'postgres')))))
    throw new Refused(`${withoutPassword(address)}: is neither a URL nor the folder of a database`);
  const database = await openDatabase({ databaseUrl: isUrl ? address : undefined, dataDir: address, log });
  opened.add('database', () => database.close());
  databases.set(address, database.ownerUrl);
  return database.ownerUrl;
}

const withoutPassword = (address: string) => address.replace(/:[^:@/]*@/, ':…@');
const isEventStoreDb = (address: string) => /^esdb(\+discover)?:\/\//.test(address);

async function openPostgres(address: string): Promise<{ pool: pg.Pool; store: EventStore }> {
  const url = await ownerUrlOf(address);
  const pool = createPool({ url, role: APP_ROLE, max: 2, applicationName: APPLICATION, log });
  opened.add('pool', () => pool.end());
  const store = createPostgresEventStore({ pool, url, log });
  opened.add('event store', () => store.close());
  return { pool, store };
}

/** Opens EventStoreDB for reading, which needs no index of ids. */
function openEventStoreDb(url: string): EventStore {
  const ids = { find: async () => [], position: async () => 0 };
  const store = createEventStoreDbEventStore({ url, ids, log });
  opened.add('event store', () => store.close());
  return store;
}

async function openSource(address: string): Promise<Log> {
  if (isEventStoreDb(address)) return { kind: 'eventstoredb', store: openEventStoreDb(address) };
  return { kind: 'postgresql', store: (await openPostgres(address)).store };
}

async function openTarget(address: string): Promise<{ kind: LogIdentity['kind']; target: Target }> {
  if (isEventStoreDb(address)) {
    const target = createEventStoreDbTarget({ url: address, log }, openEventStoreDb(address));
    opened.add('appends', () => target.close());
    return { kind: 'eventstoredb', target };
  }
  const { pool, store } = await openPostgres(address);
  return { kind: 'postgresql', target: createPostgresTarget(pool, store) };
}

async function openCheckpoints(address: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: await ownerUrlOf(address),
    application_name: APPLICATION,
    connectionTimeoutMillis: 5_000,
  });
  client.on('error', (err) => log.error({ err }, 'the connection to the database broke'));
  await client.connect();
  opened.add('checkpoints', () => client.end());
  return client;
}

/** Throws `Refused` when others use the database, after waiting for just closed connections to disappear. */
async function requireUnused(client: pg.Client): Promise<void> {
  const deadline = performance.now() + LEAVING_MS;
  for (;;) {
    const users = (await usersOf(client)).filter((name) => name !== APPLICATION);
    if (users.length === 0) return;
    if (performance.now() > deadline)
      throw new Refused(`The database is in use (${users.join(', ')}): stop every server on it first`);
    await pause(50);
  }
}

/** Reports the progress of the work from time to time. */
function progress(work: string, common: CommonPart): (upTo: Position) => void {
  const begun = { at: performance.now(), from: common.reached.from };
  let said = { at: begun.at, events: common.events };
  return (upTo) => {
    const at = performance.now();
    const { events, reached } = common;
    if (at - said.at < PROGRESS_MS) return;
    const rate = (events - said.events) / (at - said.at);
    const leftMs = ((at - begun.at) / (reached.from - begun.from)) * (upTo - reached.from);
    said = { at, events };
    const share = Math.floor((reached.from / upTo) * 100);
    say(`${work} ${share} %, ${count(rate * 1_000)} events/s, ${duration(leftMs)} left`);
  };
}

function duration(ms: number): string {
  const seconds = Math.ceil(ms / 1_000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Reports a failure that the copy outlasts, once for each message in a row. */
function troubles(): (error: Error) => void {
  let last = '';
  return ({ message, cause }) => {
    const line = cause instanceof Error ? `${message}: ${cause.message}` : message;
    if (line !== last) process.stderr.write(`${line}; trying again\n`);
    last = line;
  };
}

/** Returns a signal that aborts with the first SIGINT or SIGTERM. The second one ends the process. */
function firstInterrupt(): AbortSignal {
  const controller = new AbortController();
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const abort = () => {
    for (const signal of signals) process.off(signal, abort);
    controller.abort();
  };
  for (const signal of signals) process.on(signal, abort);
  return controller.signal;
}

/** Copies what is appended to the source, until the signal aborts. Resolves with the position that it reached. */
async function follow(
  {
    kind,
    copyOn,
    common,
  }: { kind: LogIdentity['kind']; copyOn: () => Promise<Position>; common: CommonPart },
  signal: AbortSignal,
): Promise<Position> {
  say('following the source: Ctrl-C to copy the rest and end');
  const unit = kind === 'eventstoredb' ? 'bytes' : 'events';
  let said = { at: performance.now(), events: common.events };
  for (;;) {
    // What was appended before the signal is copied.
    const isLast = signal.aborted;
    const { from } = common.reached;
    const upTo = await copyOn();
    if (isLast) return upTo;
    const ms = performance.now() - said.at;
    if (ms > FOLLOWING_MS) {
      const rate = ((common.events - said.events) / ms) * 1_000;
      say(
        `following at ${count(common.events)} events, ${count(rate)} events/s, ${count(upTo - from)} ${unit} behind`,
      );
      said = { at: performance.now(), events: common.events };
    }
    await sleep(POLL_MS, signal);
  }
}

interface Options {
  from: string;
  to: string;
  checkpoints?: string | undefined;
  isFollowing: boolean;
}

async function copy({ from, to, checkpoints, isFollowing }: Options) {
  if (checkpoints !== undefined && isEventStoreDb(from) === isEventStoreDb(to))
    throw new Refused('--checkpoints is for a move from PostgreSQL to EventStoreDB or back');
  if (checkpoints !== undefined) await prepareDatabase(await ownerUrlOf(checkpoints));
  if (!isEventStoreDb(to)) await prepareDatabase(await ownerUrlOf(to, { isMade: true }));
  const readers = checkpoints === undefined ? undefined : await openCheckpoints(checkpoints);
  if (readers && !isFollowing) await requireUnused(readers);

  const source = await openSource(from);
  const { kind, target } = await openTarget(to);
  if (readers) await requireSameLog(readers, await identify(source.kind, source.store));

  const interrupted = isFollowing ? firstInterrupt() : undefined;
  const common = new CommonPart();
  const logs = { from: source.store, to: target, common };
  await compareLogs({ ...logs, upTo: await source.store.head(), onStep: progress('comparing', common) });
  const there = common.events;
  const onTrouble = troubles();
  let upTo = await copyLog({ ...logs, onStep: progress('copying', common), onTrouble });
  if (interrupted) {
    const copyOn = () => copyLog({ ...logs, onTrouble });
    upTo = await follow({ kind: source.kind, copyOn, common }, interrupted);
  }
  const digest = common.digest();
  say(`copied ${count(common.events - there)} events after the ${count(there)} that were there`);
  say(`source  ${count(common.events)} events, SHA-256 ${digest.from}`);
  say(`target  ${count(common.events)} events, SHA-256 ${digest.to}`);

  if (readers && isFollowing) await requireUnused(readers);
  const grown = (await source.store.head()) > upTo;
  if (!readers) {
    if (grown) say('the source has grown meanwhile: run this again to copy the new events');
    return;
  }
  if (grown) throw new Refused('The source has grown meanwhile: stop every server, and run this again');
  const positions = await common.positions(logs, await positionsIn(readers));
  const moved = await moveReaders(readers, { positions, identity: await identify(kind, target) });
  for (const { name, position } of moved.readers) say(`${name} continues at ${position}`);
  if (moved.removed.length > 0) say(`to be made anew: ${moved.removed.join(', ')}`);
  const setting = kind === 'eventstoredb' ? 'with EVENTSTOREDB_URL' : 'without EVENTSTOREDB_URL';
  say(`start the server ${setting} now`);
}

async function run(): Promise<void> {
  const string = { type: 'string' } as const;
  const options = { from: string, to: string, checkpoints: string, follow: { type: 'boolean' } } as const;
  const { values, positionals } = argumentsOf(USAGE, options);
  const { from, to, checkpoints, follow: isFollowing = false } = values;
  if (positionals.join() !== 'copy' || !from || !to) throw new Refused(USAGE);
  if (checkpoints !== undefined && isEventStoreDb(checkpoints))
    throw new Refused('--checkpoints: is a database, which EventStoreDB is not');
  await copy({ from, to, checkpoints, isFollowing });
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
