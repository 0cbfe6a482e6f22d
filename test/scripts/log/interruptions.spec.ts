import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import pg from 'pg';
import { prepareDatabase } from '../../../src/adapters/postgres/prepare-database.ts';
import type { EventStore } from '../../../src/events/event-store.ts';
import { until } from '../../../tools/until.ts';
import { type EventStoreDb, startEventStoreDb } from '../../support/eventstoredb/eventstoredb.ts';
import { append, messageSent, newStream, range, say } from '../../support/language/appends.ts';
import { withEventStoreDbLog, withPostgresLog } from '../../support/stages/open-logs.ts';
import { type TestDatabase, createTestDatabase } from '../../support/stages/database.ts';

const ROOT = join(import.meta.dirname, '../../..');
const RUNS_MS = 120_000;
const EVENTS = 12_000;

interface Copy {
  child: ChildProcess;
  out: () => string;
  err: () => string;
  /** Resolves with the exit code, or the signal. */
  ended: Promise<number | NodeJS.Signals>;
}

const copies: Copy[] = [];

function startCopy(from: string, to: string, ...more: string[]): Copy {
  const { PATH = '', HOME = '' } = process.env;
  const args = ['scripts/log.ts', 'copy', '--from', from, '--to', to, ...more];
  const child = spawn(process.execPath, args, { cwd: ROOT, env: { PATH, HOME } });
  let [out, err] = ['', ''];
  child.stdout.on('data', (bytes: Buffer) => (out += bytes.toString()));
  child.stderr.on('data', (bytes: Buffer) => (err += bytes.toString()));
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
  const copy = { child, out: () => out, err: () => err, ended };
  copies.push(copy);
  return copy;
}

let database: TestDatabase;
let eventStoreDb: EventStoreDb;
beforeEach(async () => {
  [database, eventStoreDb] = await Promise.all([createTestDatabase(), startEventStoreDb()]);
});
afterEach(async () => {
  for (const { child, ended } of copies.splice(0)) {
    child.kill('SIGKILL');
    await ended;
  }
  await eventStoreDb.stop();
  await database.drop();
});

const inPostgres = <T>(work: (store: EventStore) => Promise<T>, url = database.ownerUrl) =>
  withPostgresLog(url, work);
const inEventStoreDb = <T>(work: (store: EventStore) => Promise<T>) =>
  withEventStoreDbLog(eventStoreDb.url, database.ownerUrl, work);

const streams = range(50).map(() => newStream());

/** Appends events to many streams in turns, most alone and some in pairs. */
async function talk(store: EventStore, events = EVENTS): Promise<void> {
  for (let count = 0; count < events; count += 600) {
    const appends = range(500).map((n) =>
      n % 5 === 0
        ? append(streams[n % 50]!, [messageSent('a'), messageSent('b')])
        : say(streams[n % 50]!, `${count} ${n}`),
    );
    await Promise.all(appends.map((each) => store.append(each)));
  }
}

const query = async <T extends pg.QueryResultRow>(text: string, url: string): Promise<T[]> => {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<T>(text)).rows;
  } finally {
    await client.end();
  }
};
const idsInPostgres = async (url = database.ownerUrl) =>
  (await query<{ id: string }>('select id from events order by position', url)).map(({ id }) => id);
const idsInEventStoreDb = () =>
  eventStoreDb
    .events()
    .filter(({ stream }) => !stream.startsWith('$'))
    .map(({ id }) => id);

const countIn = async (url: string) =>
  (await query<{ count: number }>('select count(*)::int from events', url))[0]!.count;

const digests = (out: string) => [...out.matchAll(/SHA-256 ([0-9a-f]{64})/g)].map(([, digest]) => digest);

async function expectWhole(copy: Copy): Promise<void> {
  const code = await copy.ended;
  expect({ code, err: code === 0 ? '' : copy.err() }).toEqual({ code: 0, err: '' });
  const [ofSource, ofTarget] = digests(copy.out());
  expect(ofSource).toBeDefined();
  expect(ofTarget).toBe(ofSource);
}

describe('after kill -9 of the copy, the next one goes on where it stopped', () => {
  /** Kills a copy once it has begun, and copies again. */
  async function copyTwice(
    to: string,
    hasBegun: () => boolean | Promise<boolean>,
    idsIn: () => string[] | Promise<string[]>,
  ): Promise<Copy> {
    const killed = startCopy(database.ownerUrl, to);
    await until(hasBegun);
    killed.child.kill('SIGKILL');
    expect(await killed.ended).toBe('SIGKILL');
    const ids = await idsInPostgres();
    const begun = await idsIn();
    expect(begun.length).toBeLessThan(EVENTS);
    expect(begun).toEqual(ids.slice(0, begun.length));

    const second = startCopy(database.ownerUrl, to);
    await expectWhole(second);
    expect(await idsIn()).toEqual(ids);
    return second;
  }

  test(
    'in EventStoreDB',
    async () => {
      await inPostgres(talk);
      const hasBegun = () => idsInEventStoreDb().length > EVENTS / 6;
      const second = await copyTwice(eventStoreDb.url, hasBegun, idsInEventStoreDb);
      expect(second.out()).toMatch(/copied [\d,]+ events after the [1-9][\d,]+ that were there/);
    },
    RUNS_MS,
  );

  test(
    'in PostgreSQL',
    async () => {
      await inPostgres(talk);
      const target = await createTestDatabase();
      const hasBegun = async () => (await countIn(target.ownerUrl)) > 0;
      await copyTwice(target.ownerUrl, hasBegun, () => idsInPostgres(target.ownerUrl));
      await target.drop();
    },
    RUNS_MS,
  );
});

describe('a copy outlasts the end of a server', () => {
  let folder: string;
  let keeper: ChildProcess;
  let ownerUrl: string;

  /** A PostgreSQL of its own. The process that started it starts it again when it dies. */
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chat-copy-'));
    await chmod(folder, 0o711);
    const program = join(ROOT, 'test/support/processes/embedded-postgres-process.ts');
    keeper = spawn(process.execPath, [program, join(folder, 'data')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(createInterface(keeper.stdout!), 'line')) as [string];
    ({ ownerUrl } = JSON.parse(line) as { ownerUrl: string });
    await prepareDatabase(ownerUrl);
  }, RUNS_MS);
  afterEach(async () => {
    keeper.kill('SIGTERM');
    await once(keeper, 'exit');
    await rm(folder, { recursive: true, force: true });
  });

  /** Kills the server, unless it is just being started again. */
  async function killPostgres(): Promise<void> {
    const pidFile = join(folder, 'data/postgres/postmaster.pid');
    const pid = await readFile(pidFile, 'utf8').then(Number.parseInt, () => undefined);
    if (pid === undefined) return;
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  /** Repeats a fault until the copy meets it: between two of its reads, nobody misses a server that is back at once. */
  const disturb = (copy: Copy, fault: () => Promise<void>) =>
    until(async () => {
      if (copy.err().includes('trying again')) return true;
      await fault();
      return false;
    });

  test(
    'with kill -9 of the PostgreSQL of its source',
    async () => {
      await inPostgres((store) => talk(store, 2 * EVENTS), ownerUrl);
      const copy = startCopy(ownerUrl, eventStoreDb.url);
      await until(() => idsInEventStoreDb().length > 0);
      await disturb(copy, killPostgres);
      await expectWhole(copy);
      expect(idsInEventStoreDb()).toEqual(await idsInPostgres(ownerUrl));
    },
    RUNS_MS,
  );

  test(
    'with kill -9 of the PostgreSQL of its target',
    async () => {
      await inPostgres(talk);
      const copy = startCopy(database.ownerUrl, ownerUrl);
      await until(async () => (await countIn(ownerUrl)) > 0);
      await disturb(copy, killPostgres);
      await expectWhole(copy);
      expect(await idsInPostgres(ownerUrl)).toEqual(await idsInPostgres());
    },
    RUNS_MS,
  );

  test(
    'with a restart of EventStoreDB, its target, and then its source',
    async () => {
      await inPostgres(talk);
      const there = startCopy(database.ownerUrl, eventStoreDb.url);
      await until(() => idsInEventStoreDb().length > EVENTS / 6);
      await disturb(there, () => eventStoreDb.restart());
      await expectWhole(there);
      expect(idsInEventStoreDb()).toEqual(await idsInPostgres());

      const back = startCopy(eventStoreDb.url, ownerUrl, '--keys', database.ownerUrl);
      await until(async () => (await countIn(ownerUrl)) > 0);
      await disturb(back, () => eventStoreDb.restart());
      await expectWhole(back);
      expect(await idsInPostgres(ownerUrl)).toEqual(await idsInPostgres());
    },
    RUNS_MS,
  );
});

describe('a copy that follows', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)(
    'copies what is appended, and ends whole with %s',
    async (signal) => {
      await inPostgres((store) => talk(store, 600));
      const copy = startCopy(database.ownerUrl, eventStoreDb.url, '--follow');
      await until(() => copy.out().includes('following the source'));
      expect(idsInEventStoreDb()).toHaveLength(600);
      await inPostgres((store) => talk(store, 600));
      await until(() => idsInEventStoreDb().length === 1_200);
      await inPostgres((store) => talk(store, 600));
      copy.child.kill(signal);
      await expectWhole(copy);
      expect(copy.out()).toContain('copied 1,800 events after the 0 that were there');
      expect(idsInEventStoreDb()).toEqual(await idsInPostgres());
    },
    RUNS_MS,
  );

  const follow = () =>
    startCopy(database.ownerUrl, eventStoreDb.url, '--follow', '--checkpoints', database.ownerUrl);

  test(
    'moves the readers of a database once its servers have stopped',
    async () => {
      await inPostgres((store) => talk(store, 1_200));
      await query(
        `insert into checkpoints (name, position, version) values ('reactions', 1800, 1), ('tidy', 700, 1)`,
        database.ownerUrl,
      );
      const server = new pg.Client({ connectionString: database.ownerUrl, application_name: 'chat' });
      await server.connect();
      const copy = follow();
      await until(() => copy.out().includes('following the source'));
      await inPostgres((store) => talk(store, 600));
      await server.end();
      copy.child.kill('SIGINT');
      await expectWhole(copy);
      const ours = eventStoreDb.events().filter(({ stream }) => !stream.startsWith('$'));
      const moved = await query(
        'select name, position::int from checkpoints order by name',
        database.ownerUrl,
      );
      expect(moved).toEqual([
        { name: 'reactions', position: ours[1_799]!.position },
        { name: 'tidy', position: ours[699]!.position },
      ]);
      expect(copy.out()).toContain('start the server with EVENTSTOREDB_URL now');
    },
    RUNS_MS,
  );

  test(
    'is refused at its end while a server uses the database',
    async () => {
      await inPostgres((store) => talk(store, 600));
      const server = new pg.Client({ connectionString: database.ownerUrl, application_name: 'chat' });
      await server.connect();
      const copy = follow();
      await until(() => copy.out().includes('following the source'));
      copy.child.kill('SIGINT');
      expect(await copy.ended).toBe(1);
      expect(copy.err()).toBe('The database is in use (chat): stop every server on it first\n');
      await server.end();
    },
    RUNS_MS,
  );

  test(
    'outlasts the end of its source, and a second signal ends it at once',
    async () => {
      await inEventStoreDb((store) => talk(store, 600));
      const copy = startCopy(eventStoreDb.url, database.ownerUrl, '--follow');
      await until(() => copy.out().includes('following the source'));
      await eventStoreDb.restart();
      await inEventStoreDb((store) => talk(store, 600));
      await until(async () => (await countIn(database.ownerUrl)) === 1_200);
      await eventStoreDb.stop();
      copy.child.kill('SIGINT');
      await until(() => copy.err().includes('trying again'));
      await until(() => !copy.child.kill('SIGINT'), 'the copy to end');
      expect(await copy.ended).toBe('SIGINT');
    },
    RUNS_MS,
  );
});
