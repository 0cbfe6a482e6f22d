import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import type { EventStore, Position } from '../src/events/event-store.ts';
import { unsealed } from '../src/events/personal-text.ts';
import type { KeyName } from '../src/privacy/key-ring.ts';
import { sleep } from '../src/kit/back-off.ts';
import { closers } from '../src/kit/closers.ts';
import { postgresAddress } from '../src/config/setting-kinds.ts';
import { parseServerUrl } from '../src/kit/server-url.ts';
import { CommonPart, type CopySettings, type Target, copyLog } from '../src/operations/copy-log.ts';
import { createEventStoreDbEventStore } from '../src/adapters/eventstoredb/event-store.ts';
import { type LogIdentity, identify, requireSameLog } from '../src/adapters/postgres/event-log/identity.ts';
import { type Progress, showProgress } from './progress.ts';
import { type TextKeysInUse, openTextSeal } from '../src/compose/text-seal.ts';
import { readConfig } from '../src/config.ts';
import { npmGone } from '../src/adapters/os/npm-gone.ts';
import { createLogger } from '../src/adapters/pino/logger.ts';
import { migrate, requireMigrated } from '../src/adapters/postgres/migrate.ts';
import { copyBesideLog, copyDatabase } from '../src/operations/copy-database.ts';
import { findUnsealed } from '../src/operations/find-unsealed.ts';
import { moveReaders, positionsIn, usersOf } from '../src/operations/move-readers.ts';
import { noEventIds } from '../src/adapters/postgres/tables/event-ids.ts';
import { hasTextKeys } from '../src/adapters/postgres/tables/text-keys.ts';
import { openDatabase } from '../src/adapters/embedded-postgres/open-database.ts';
import { createPostgresEventStore } from '../src/adapters/postgres/event-log/event-store.ts';
import { Client } from '../src/adapters/postgres/client.ts';
import { createPool } from '../src/adapters/postgres/connection.ts';
import { prepareDatabase } from '../src/adapters/postgres/prepare-database.ts';
import { Misused, Refused, count, messageOf, program } from './program.ts';
import { afterRestore } from './log/restored.ts';
import { APPLICATION, createEventStoreDbTarget, createPostgresTarget } from './log/targets.ts';

const USAGE = `Usage: npm run log -- copy --from <log> --to <log> [--follow] [--checkpoints <database>] [--keys <database>]
       npm run log -- restored [--keep-notifications]
       npm run log -- clone --from <database> --to <database>
       npm run log -- encrypt --from <log> --to <log> [--checkpoints <database>] [--keys <database>]

  copy   copies all events of one log into another that is empty, or that an earlier copy has begun, and reads both and
         compares them. A server may go on with the first log meanwhile: the next run copies the rest. A copy that was
         interrupted goes on when it is run again.
  restored   makes the database go on after a backup of it, or of the log in EventStoreDB, was restored. Run it with the
         settings of the server, while all servers are stopped. A new epoch of the log begins, so that clients start anew
         and miss nothing. Readers, read models, read markers and seals that know what is lost go back to the end of the
         log. Checkpoints that seal what is lost are moved aside, as evidence
  clone  copies a whole database as it is at one moment, with accounts, keys and seals, into one that is empty, and
         compares them. A server may run on the first one: what it writes after that moment is not in the copy. Read
         models are made anew when a server starts. Needs the owners of both
  encrypt   copies a log from before personal text was sealed into a new one, and checks that no personal text can be read
         in it. A new database gets everything beside the log as well, so that servers can go on with it: stop them first

  --follow        goes on copying what is appended to the first log, until Ctrl-C (SIGINT) or SIGTERM; then copies and
                  compares the rest and ends. A second Ctrl-C ends it at once
  --checkpoints   makes this database, on which no server may run any more, follow the copy from now on: its readers go
                  on where they stand, its read models are removed and made anew when a server starts. With --follow,
                  stop the servers before Ctrl-C
  --keep-notifications   sends what waited to be sent when the backup was made. By default it is settled, because it has
                  most likely been sent since
  --keys          the database with the keys of the personal text in a log in EventStoreDB; default: --checkpoints, or
                  the other log. Text is sealed with the keys of the target, also where the source has it as it is

  --json          prints the result as JSON

A log is esdb://<host>:<port>, postgres://<user>:<password>@<host>/<database>, or the DATA_DIR of an embedded database,
which --to creates if it does not exist; a database is one of the last two.
`;

interface Log {
  kind: LogIdentity['kind'];
  url: string;
  store: Pick<EventStore, 'readAll' | 'readStored' | 'head'>;
  seal: Keys;
}

/** Whether the result is printed as JSON, and no lines before it. */
let isJson = false;
const say = (line: string) => void (isJson || process.stdout.write(`${line}\n`));
const FOLLOWING_MS = 10_000;
const POLL_MS = 200;
const LEAVING_MS = 1_000;
const SAME_INTERRUPT_MS = 500;

const log = createLogger({ level: 'error', destination: process.stderr });
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
    throw new Misused(`${withoutPassword(address)}: is neither a URL nor the folder of a database`);
  const databaseUrl = isUrl ? postgresAddress(address) : undefined;
  const database = await openDatabase({ databaseUrl, dataDir: address, log });
  opened.add('database', () => database.close());
  databases.set(address, database.ownerUrl);
  return database.ownerUrl;
}

const withoutPassword = (address: string) => address.replace(/:[^:@/]*@/, ':…@');
const isEventStoreDb = (address: string) => /^esdb(\+discover)?:\/\//.test(address);

interface Keys extends Pick<TextKeysInUse, 'textSeal' | 'keyRing'> {
  destroyed: () => Promise<KeyName[]>;
}
const keysByAddress = new Map<string, Keys>();

/** A log from before personal text was sealed. */
const noKeys: Keys = {
  textSeal: unsealed,
  keyRing: { keys: (locks) => locks.map(() => undefined), destroy: async () => undefined },
  destroyed: async () => [],
};

/** Opens the seal of personal text with the keys in a database, which an earlier version may have made. */
async function openKeys(address: string): Promise<Keys> {
  const known = keysByAddress.get(address);
  if (known) return known;
  const url = await ownerUrlOf(address);
  const pool = createPool({ url, max: 2, applicationName: APPLICATION, log });
  opened.add('keys', () => pool.end());
  if (!(await hasTextKeys(pool))) return noKeys;
  const isFolder = !address.includes('://');
  const settings = { ...readConfig(process.env), databaseUrl: isFolder ? undefined : url, dataDir: address };
  const { textSeal, keyRing, stored } = await openTextSeal(settings, log, pool);
  const keys = { textSeal, keyRing, destroyed: () => stored.destroyed() };
  keysByAddress.set(address, keys);
  return keys;
}

/** Opens a log for reading. In EventStoreDB, that needs no index of ids. */
async function openLog(address: string, keysAt: string): Promise<Log> {
  const seal = await openKeys(isEventStoreDb(address) ? keysAt : address);
  const { textSeal } = seal;
  if (isEventStoreDb(address)) {
    const store = createEventStoreDbEventStore({ url: address, ids: noEventIds, log, textSeal });
    opened.add('event store', () => store.close());
    return { kind: 'eventstoredb', url: address, store, seal };
  }
  const url = await ownerUrlOf(address);
  const pool = createPool({ url, max: 2, applicationName: APPLICATION, log });
  opened.add('pool', () => pool.end());
  const store = createPostgresEventStore({ pool, url, log, textSeal });
  opened.add('event store', () => store.close());
  return { kind: 'postgresql', url, store, seal };
}

function openTarget({ kind, url, store, seal: { textSeal } }: Log): Target {
  const create = kind === 'eventstoredb' ? createEventStoreDbTarget : createPostgresTarget;
  const target = create({ url, log, textSeal }, store);
  opened.add('target', () => target.close());
  return target;
}

async function requireOwner(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ may: boolean }>(
    `select has_table_privilege('public.log_epochs', 'insert') as may`,
  );
  if (!rows[0]!.may) throw new Refused('Only the owner begins an epoch: set DATABASE_OWNER_URL to it');
}

/** Begins a new epoch on the database of the settings. */
async function restored(keepsNotifications: boolean): Promise<object> {
  const config = readConfig(process.env);
  const address = config.databaseOwnerUrl ?? config.databaseUrl ?? config.dataDir;
  const databaseUrl = await ownerUrlOf(address);
  await prepareDatabase(config.databaseUrl ?? databaseUrl, config.databaseOwnerUrl);
  return withOwner(address, async (client) => {
    await requireOwner(client);
    await requireUnused(client);
    return afterRestore(client, { config, databaseUrl, keepsNotifications, say, log, opened });
  });
}

/** Connects to a database as its owner for the duration of `work`. */
async function withOwner<T>(address: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new Client({
    connectionString: await ownerUrlOf(address),
    application_name: APPLICATION,
    connectionTimeoutMillis: 5_000,
  });
  client.on('error', (err) => log.error({ err }, 'the connection to the database broke'));
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Throws `Refused` when other programs use the database, after waiting for just closed connections to disappear. */
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

/** Shows the progress of comparing what is in both logs, and then of copying the rest. */
function progressOf(common: CommonPart): { onStep: NonNullable<CopySettings['onStep']>; stop(): void } {
  let shown: { work: string; progress: Progress; from: number; events: number } | undefined;
  return {
    onStep(work, upTo) {
      const { events, reached } = common;
      if (work !== shown?.work) {
        shown?.progress.stop();
        shown = { work, progress: showProgress(work), from: reached.from, events };
      }
      const { progress, from } = shown;
      progress.reach(reached.from - from, upTo - from, events - shown.events);
    },
    stop: () => shown?.progress.stop(),
  };
}

/** Reports a failure that the copy outlasts, once for each message in a row. */
function troubles(): (error: Error) => void {
  let last = '';
  return (error) => {
    const line = messageOf(error);
    if (line !== last) process.stderr.write(`${line}; trying again\n`);
    last = line;
  };
}

/**
 * Returns a signal that aborts with the first SIGINT or SIGTERM, or when npm is gone. A later one ends the process; not
 * at once, because Ctrl-C reaches this process from the terminal and again from npm.
 */
function firstInterrupt(): AbortSignal {
  const controller = new AbortController();
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const abort = () => {
    if (controller.signal.aborted) return;
    controller.abort();
    const leave = () => signals.forEach((signal) => process.off(signal, abort));
    setTimeout(leave, SAME_INTERRUPT_MS).unref();
  };
  for (const signal of signals) process.on(signal, abort);
  void npmGone(process.env).then(abort);
  return controller.signal;
}

/** Copies what is appended to the source, until the signal aborts. */
async function follow(settings: CopySettings, unit: string, signal: AbortSignal) {
  const { common } = settings;
  say('following the source: Ctrl-C to copy the rest and end');
  let said = { at: performance.now(), events: common.events };
  let copied = 0;
  for (;;) {
    // What was appended before the signal is copied.
    const isLast = signal.aborted;
    const { from } = common.reached;
    const done = await copyLog(settings);
    copied += done.copied;
    if (isLast) return { upTo: done.upTo, copied };
    const ms = performance.now() - said.at;
    if (ms > FOLLOWING_MS) {
      const rate = ((common.events - said.events) / ms) * 1_000;
      const behind = `${count(done.upTo - from)} ${unit} behind`;
      say(`following at ${count(common.events)} events, ${count(rate)} events/s, ${behind}`);
      said = { at: performance.now(), events: common.events };
    }
    await sleep(POLL_MS, signal);
  }
}

/** Throws `Refused` when personal text can be read in the log. */
async function requireSealed(store: Log['store']): Promise<void> {
  const progress = showProgress('checking');
  try {
    const position = await findUnsealed(store, progress.reach);
    if (position !== undefined)
      throw new Refused(
        `The target has personal text as it is, at position ${position}: an earlier copy was not sealed. Use a new target`,
      );
    say('no personal text can be read in the target');
  } finally {
    progress.stop();
  }
}

interface Options {
  from: string;
  to: string;
  checkpoints?: string | undefined;
  keys?: string | undefined;
  isFollowing: boolean;
  isEncrypting: boolean;
}

/** Returns the database with the keys of a log in EventStoreDB. Throws `Misused` for options that do not go together. */
function keysOf({ from, to, checkpoints, keys }: Options): string {
  if (from === to) throw new Misused('--to: is the same log');
  if (checkpoints !== undefined && !isEventStoreDb(from) && !isEventStoreDb(to))
    throw new Misused('--checkpoints is for a move from or to EventStoreDB');
  const keysAt = keys ?? checkpoints ?? [from, to].find((address) => !isEventStoreDb(address));
  if (keysAt === undefined) throw new Misused('--keys: is needed between two logs in EventStoreDB');
  return keysAt;
}

async function copy(options: Options): Promise<object> {
  const { from, to, checkpoints, isFollowing, isEncrypting } = options;
  const keysAt = keysOf(options);
  const isNewDatabase = isEncrypting && !isEventStoreDb(from) && !isEventStoreDb(to);
  if (checkpoints !== undefined) await prepareDatabase(await ownerUrlOf(checkpoints));
  await prepareDatabase(await ownerUrlOf(isEventStoreDb(to) ? keysAt : to, { isMade: !isEventStoreDb(to) }));
  const inUse = isNewDatabase ? from : checkpoints;
  if (inUse !== undefined && !isFollowing) await withOwner(inUse, requireUnused);

  const source = await openLog(from, keysAt);
  const destination = await openLog(to, keysAt);
  // Who is erased in the source must not get a new key in the target.
  await destination.seal.keyRing.destroy(await source.seal.destroyed());
  const target = openTarget(destination);
  if (checkpoints !== undefined) {
    const identity = await identify(source.kind, source.store);
    await withOwner(checkpoints, (client) => requireSameLog(client, identity));
  }

  // Fails at once where a log is out of reach from the start.
  await Promise.all([source.store.head(), target.readAll({ after: 0, limit: 1 })]);

  const interrupted = isFollowing ? firstInterrupt() : undefined;
  const common = new CommonPart();
  const settings = { from: source.store, to: target, common, onTrouble: troubles() };
  const progress = progressOf(common);
  let { upTo, copied } = await copyLog({ ...settings, onStep: progress.onStep }).finally(() =>
    progress.stop(),
  );
  if (interrupted) {
    const more = await follow(settings, source.kind === 'eventstoredb' ? 'bytes' : 'events', interrupted);
    [upTo, copied] = [more.upTo, copied + more.copied];
  }
  const digest = common.digest();
  say(`copied ${count(copied)} events after the ${count(common.events - copied)} that were there`);
  say(`source  ${count(common.events)} events, SHA-256 ${digest.from}`);
  say(`target  ${count(common.events)} events, SHA-256 ${digest.to}`);
  if (isEncrypting) await requireSealed(destination.store);

  const requireWhole = async () => {
    if ((await source.store.head()) > upTo)
      throw new Refused('The source has grown meanwhile: stop every server, and run this again');
  };
  if (isNewDatabase) {
    await takeAlong(options, common, requireWhole);
  } else if (checkpoints !== undefined) {
    const identity = await identify(destination.kind, target);
    await moveCheckpoints(checkpoints, identity, requireWhole, {
      head: () => destination.store.head(),
      positionsOf: (wanted) => common.positions(settings, wanted),
    });
  } else if ((await source.store.head()) > upTo) {
    say('the source has grown meanwhile: run this again to copy the new events');
  }
  return { copied, events: common.events, sha256: digest };
}

/** Copies a whole database into an empty one. */
async function clone(from: string, to: string): Promise<object> {
  if (isEventStoreDb(from) || isEventStoreDb(to))
    throw new Misused('clone is for databases, which EventStoreDB is not');
  if (from === to) throw new Misused('--to: is the same database');
  await requireMigrated(await ownerUrlOf(from));
  await migrate(await ownerUrlOf(to, { isMade: true }));
  return withOwner(from, async (source) => {
    const users = (await usersOf(source)).filter((name) => name !== APPLICATION);
    const copied = await withOwner(to, async (target) => {
      await requireUnused(target);
      return copyDatabase(source, target);
    });
    for (const [table, rows] of copied) if (rows > 0) say(`${table}: ${count(rows)} rows`);
    if (users.length > 0)
      say(`the source is in use (${users.join(', ')}): what is written to it from now on is not in the copy`);
    return { rows: Object.fromEntries(copied), inUse: users };
  });
}

/** Copies what the database of the source has beside its log. */
async function takeAlong(
  { from, to }: Options,
  { reached }: CommonPart,
  requireWhole: () => Promise<void>,
): Promise<void> {
  if (reached.from !== reached.to)
    throw new Refused(
      'The events of the source have gaps in their positions: its database cannot be replaced',
    );
  const copied = await withOwner(from, async (source) => {
    await requireUnused(source);
    await requireWhole();
    return withOwner(to, (target) => copyBesideLog(source, target));
  });
  for (const [table, rows] of copied) if (rows > 0) say(`${table}: ${count(rows)} rows`);
  say('start the server on the target now, with a new SEAL_URL');
}

/** Makes a database follow the copy. */
async function moveCheckpoints(
  checkpoints: string,
  identity: LogIdentity,
  requireWhole: () => Promise<void>,
  {
    head,
    positionsOf,
  }: {
    head: () => Promise<Position>;
    positionsOf: (wanted: readonly Position[]) => Promise<Map<Position, Position>>;
  },
): Promise<void> {
  const moved = await withOwner(checkpoints, async (client) => {
    await requireUnused(client);
    await requireWhole();
    const positions = await positionsOf(await positionsIn(client));
    return moveReaders(client, { positions, identity, head: await head() });
  });
  for (const { name, position } of moved.readers) say(`${name} continues at ${position}`);
  if (moved.removed.length > 0) say(`to be made anew: ${moved.removed.join(', ')}`);
  const setting = identity.kind === 'eventstoredb' ? 'with EVENTSTOREDB_URL' : 'without EVENTSTOREDB_URL';
  say(`start the server ${setting} now`);
}

const string = { type: 'string' } as const;
const boolean = { type: 'boolean' } as const;
const options = {
  ...{ from: string, to: string, checkpoints: string, keys: string },
  ...{ follow: boolean, 'keep-notifications': boolean },
} as const;

/** The options that each command takes besides `--json`. */
const TAKES: Record<string, readonly (keyof typeof options)[]> = {
  copy: ['from', 'to', 'checkpoints', 'keys', 'follow'],
  encrypt: ['from', 'to', 'checkpoints', 'keys'],
  clone: ['from', 'to'],
  restored: ['keep-notifications'],
};

await program(USAGE, options, async ({ values, positionals, print }) => {
  const { from, to, checkpoints, keys, follow: isFollowing = false } = values;
  const [command = '', ...others] = positionals;
  const takes = Object.hasOwn(TAKES, command) ? TAKES[command]! : undefined;
  if (!takes || others.length > 0) throw new Misused();
  const unfit = (Object.keys(options) as (keyof typeof options)[]).find(
    (name) => values[name] !== undefined && !takes.includes(name),
  );
  if (unfit !== undefined) throw new Misused(`--${unfit}: is not for ${command}`);
  if (checkpoints !== undefined && isEventStoreDb(checkpoints))
    throw new Misused('--checkpoints: is a database, which EventStoreDB is not');
  if (keys !== undefined && isEventStoreDb(keys))
    throw new Misused('--keys: is a database, which EventStoreDB is not');
  isJson = (values as { json?: boolean }).json ?? false;

  async function run(): Promise<object> {
    if (command === 'restored') return restored(values['keep-notifications'] ?? false);
    if (from === undefined || to === undefined) throw new Misused();
    if (command === 'clone') return clone(from, to);
    return copy({ from, to, checkpoints, keys, isFollowing, isEncrypting: command === 'encrypt' });
  }
  try {
    print(await run(), []);
  } finally {
    await opened.closeAll();
  }
});
