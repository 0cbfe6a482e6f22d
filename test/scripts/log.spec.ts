import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { EventStore } from '../../src/events/event-store.ts';
import { CommonPart, compareLogs } from '../../src/operations/copy-log.ts';
import { identify, requireSameLog } from '../../src/adapters/postgres/event-log/identity.ts';
import { columnTypes } from '../../src/adapters/postgres/connection.ts';
import { append, messageSent, newStream, range, say } from '../support/language/appends.ts';
import { withEventStoreDbLog, withPostgresLog } from '../support/stages/open-logs.ts';
import { type TestDatabase, createTestDatabase } from '../support/stages/database.ts';
import { type EventStoreDb, startEventStoreDb } from '../support/eventstoredb/eventstoredb.ts';
import { wholeLog } from '../support/language/history.ts';

const ROOT = join(import.meta.dirname, '../..');
const RUNS_MS = 60_000;

let database: TestDatabase;
let eventStoreDb: EventStoreDb;
beforeEach(async () => {
  [database, eventStoreDb] = await Promise.all([createTestDatabase(), startEventStoreDb()]);
});
afterEach(async () => {
  await eventStoreDb.stop();
  await database.drop();
});

/** Runs the program like an operator. */
function log(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const { PATH = '', HOME = '' } = process.env;
  return new Promise((done) =>
    execFile(
      process.execPath,
      ['scripts/log.ts', ...args],
      { cwd: ROOT, env: { PATH, HOME } },
      (error, out, err) => done({ code: error ? Number(error.code) : 0, out, err }),
    ),
  );
}
const copy = (from: string, to: string, ...more: string[]) =>
  log('copy', '--from', from, '--to', to, ...more);

const inPostgres = <T>(work: (store: EventStore) => Promise<T>, of = database) =>
  withPostgresLog(of.ownerUrl, work);
const inEventStoreDb = <T>(work: (store: EventStore) => Promise<T>) =>
  withEventStoreDbLog(eventStoreDb.url, database.ownerUrl, work);

async function query<T extends pg.QueryResultRow>(
  text: string,
  values: unknown[] = [],
  of = database,
): Promise<T[]> {
  const client = new pg.Client({ connectionString: of.ownerUrl, types: columnTypes });
  await client.connect();
  try {
    return (await client.query<T>(text, values)).rows;
  } finally {
    await client.end();
  }
}

/**
 * Appends to two conversations in turns, with appends of several events and with metadata that refers to the
 * other.
 */
async function talk(store: EventStore, turns: number): Promise<void> {
  const [one, other] = [newStream(), newStream()];
  for (const n of range(turns)) {
    await store.append(say(one, `one ${n}`));
    const reliedOn = {
      metadata: { actorId: null, correlationId: 'c-2', causationId: randomUUID(), reliedOn: { [one]: n } },
    };
    await store.append(append(other, [messageSent('ü'), messageSent('a'), messageSent('b')], reliedOn));
  }
}

const digests = (out: string) => [...out.matchAll(/SHA-256 ([0-9a-f]{64})/g)].map(([, digest]) => digest);

test(
  'A log is copied to EventStoreDB and back unchanged, event by event',
  async () => {
    await inPostgres((store) => talk(store, 5));
    const there = await copy(database.ownerUrl, eventStoreDb.url);
    expect(there).toMatchObject({ code: 0, err: '' });
    expect(there.out).toContain('copied 20 events after the 0 that were there');
    const [ofSource, ofTarget] = digests(there.out);
    expect(ofTarget).toBe(ofSource);
    const other = await createTestDatabase();
    const back = await copy(eventStoreDb.url, other.ownerUrl, '--keys', database.ownerUrl);
    expect(back).toMatchObject({ code: 0, err: '' });
    expect(digests(back.out)).toEqual([ofSource, ofSource]);
    expect(await inPostgres(wholeLog, other)).toEqual(await inPostgres(wholeLog));
    await other.drop();
  },
  RUNS_MS,
);

test(
  'A partial copy continues where it stopped, also while the source grows',
  async () => {
    await inPostgres((store) => talk(store, 2));
    expect(await copy(database.ownerUrl, eventStoreDb.url)).toMatchObject({ code: 0 });
    await inPostgres((store) => talk(store, 3));
    const { code, out } = await copy(database.ownerUrl, eventStoreDb.url);
    expect({ code, out }).toEqual({
      code: 0,
      out: expect.stringContaining('copied 12 events after the 8 that were there'),
    });
    const common = new CommonPart();
    const isWhole = await inPostgres((from) =>
      inEventStoreDb((to) => compareLogs({ from, to, common, upTo: Infinity })),
    );
    expect({ events: common.events, isWhole }).toEqual({ events: 20, isWhole: true });
  },
  RUNS_MS,
);

test(
  'A target with other events is refused and left unchanged',
  async () => {
    await inPostgres((store) => talk(store, 1));
    await inEventStoreDb((store) => talk(store, 2));
    const before = eventStoreDb.events().length;
    const refused = await copy(database.ownerUrl, eventStoreDb.url);
    expect(refused.code).toBe(1);
    expect(refused.err).toMatch(/^event 1 of the target is not event 1 of the source \(id, /);
    expect(eventStoreDb.events()).toHaveLength(before);

    const longer = await createTestDatabase();
    expect(await copy(database.ownerUrl, longer.ownerUrl)).toMatchObject({ code: 0 });
    await inPostgres((store) => talk(store, 1), longer);
    expect(await copy(database.ownerUrl, longer.ownerUrl)).toMatchObject({
      code: 1,
      err: 'the target has more than the 4 events of the source\n',
    });
    await longer.drop();
  },
  RUNS_MS,
);

describe('copying with the checkpoints of a database', () => {
  const move = () => copy(database.ownerUrl, eventStoreDb.url, '--checkpoints', database.ownerUrl);

  /** Prepares a database as a server leaves it that has worked on its log. */
  async function used(): Promise<void> {
    await inPostgres(async (store) => {
      await talk(store, 3);
      const identity = await identify('postgresql', store);
      const pool = new pg.Pool({ connectionString: database.url, max: 1 });
      await requireSameLog(pool, identity);
      await pool.end();
    });
    for (const name of ['jobs', 'jobs_previous']) await query(`create schema ${name}`);
    await query(
      `insert into checkpoints (name, position, version) values
         ('jobs', 12, 1), ('jobs_previous', 3, 1), ('reactions', 12, 1), ('tidy', 0, 1), ('notifications', 7, 1)`,
    );
    await query(
      `insert into notifications
         (event_id, recipient_id, channel, kind, group_id, subject_id, seq, position, written_at)
       select gen_random_uuid(), $1, 'email', 'message', $1, $1, 1, position, now()
       from generate_series(5, 6) position`,
      [randomUUID()],
    );
  }

  const ours = () => eventStoreDb.events().filter(({ stream }) => !stream.startsWith('$'));
  const at = (nth: number) => ours()[nth - 1]!.position;

  test(
    'moves its readers to the same events, drops its read models, and makes it follow the copy',
    async () => {
      await used();
      const moved = await move();
      expect(moved).toMatchObject({ code: 0, err: '' });
      expect(moved.out).toContain('to be made anew: jobs, jobs_previous\n');
      expect(moved.out).toContain('start the server with EVENTSTOREDB_URL now\n');
      expect(await query('select name, position from checkpoints order by name')).toEqual([
        { name: 'notifications', position: at(7) },
        { name: 'reactions', position: at(12) },
        { name: 'tidy', position: 0 },
      ]);
      const notified = await query('select position from notifications order by position');
      expect(notified).toEqual([{ position: at(5) }, { position: at(6) }]);
      expect(await query(`select from pg_namespace where nspname like 'jobs%'`)).toEqual([]);
      expect(await query('select kind, first_event, first_position from log_identity')).toEqual([
        { kind: 'eventstoredb', first_event: ours()[0]!.id, first_position: at(1) },
      ]);

      expect(await move()).toMatchObject({
        code: 1,
        err: expect.stringContaining('This database follows the log in EventStoreDB'),
      });
    },
    RUNS_MS,
  );

  test(
    'is refused while the database is in use',
    async () => {
      await used();
      const user = new pg.Client({ connectionString: database.ownerUrl, application_name: 'chat' });
      await user.connect();
      expect(await move()).toMatchObject({
        code: 1,
        err: 'The database is in use (chat): stop every server on it first\n',
      });
      expect(eventStoreDb.events()).toHaveLength(1);
      await user.end();
      expect(await query('select position from checkpoints where name = $1', ['reactions'])).toEqual([
        { position: 12 },
      ]);
    },
    RUNS_MS,
  );
});

test.each([
  [[]],
  [['copy']],
  [['copy', '--from', 'esdb://127.0.0.1']],
  [['move', '--from', 'esdb://127.0.0.1', '--to', 'postgres://127.0.0.1/chat']],
])('Prints the usage for %j', async (args) => {
  const { code, out, err } = await log(...args);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toContain('Usage:');
});

test(
  'Creates the folder of an embedded database to copy to',
  async () => {
    await inPostgres((store) => talk(store, 1));
    const folder = await mkdtemp(join(tmpdir(), 'chat-copy-'));
    const target = join(folder, 'new');
    const copied = await copy(database.ownerUrl, target);
    expect(copied).toMatchObject({ code: 0, err: '' });
    const [ofSource, ofTarget] = digests(copied.out);
    expect(ofTarget).toBe(ofSource);
    const missing = await copy(join(folder, 'other'), target);
    expect(missing).toMatchObject({ code: 2, err: expect.stringContaining('nor the folder of a database') });
    await rm(folder, { recursive: true });
  },
  RUNS_MS,
);

test('Refuses a URL that is not a log, without showing its password', async () => {
  const { code, err } = await copy('mysql://chat:secret@127.0.0.1/chat', eventStoreDb.url);
  expect(code).toBe(2);
  expect(err).toMatch(/is neither a URL nor the folder of a database\n$/);
  expect(err).not.toContain('secret');
  const same = await copy(eventStoreDb.url, eventStoreDb.url, '--checkpoints', database.ownerUrl);
  expect(same).toMatchObject({ code: 2, err: '--to: is the same log\n' });
  const neither = await copy(database.ownerUrl, database.url, '--checkpoints', database.ownerUrl);
  expect(neither).toMatchObject({ code: 2, err: expect.stringContaining('from or to EventStoreDB') });
});

describe('cloning a database', () => {
  let other: TestDatabase;
  beforeEach(async () => {
    other = await createTestDatabase();
  });
  afterEach(() => other.drop());

  test(
    'makes an empty one the same, row by row',
    async () => {
      await inPostgres((store) => talk(store, 5));
      await query(`insert into checkpoints (name, position, version) values ('reactions', 12, 1)`);
      await query(`insert into seals (place) values ('file:///one'), ('file:///other')`);
      const { code, out, err } = await log('clone', '--from', database.ownerUrl, '--to', other.ownerUrl);
      expect({ code, err }).toEqual({ code: 0, err: '' });
      expect(out).toContain('events: 20 rows\n');
      expect(await inPostgres(wholeLog, other)).toEqual(await inPostgres(wholeLog));
      // It goes on counting where the other one stopped.
      const added = 'insert into seals (place) values ($1) returning id';
      expect(await query(added, ['file:///next'], other)).toEqual([{ id: 3 }]);

      const again = await log('clone', '--from', database.ownerUrl, '--to', other.ownerUrl, '--json');
      expect({ code: again.code, out: again.out }).toEqual({ code: 1, out: '' });
      expect(JSON.parse(again.err)).toEqual({
        error: 'The target has events or accounts already: use an empty database',
        code: 1,
      });
    },
    RUNS_MS,
  );

  test(
    'is given up when the copy differs',
    async () => {
      await inPostgres((store) => talk(store, 1));
      await query(`insert into checkpoints (name, position, version) values ('reactions', 12, 1)`);
      await query(
        `create function move() returns trigger language plpgsql as $$ begin new.position := 11; return new; end $$;
         create trigger moves before insert on checkpoints for each row execute function move()`,
        [],
        other,
      );
      const { code, err } = await log('clone', '--from', database.ownerUrl, '--to', other.ownerUrl);
      expect(code).toBe(1);
      expect(err).toMatch(/^checkpoints was not copied right: 1 rows, -?\d+, but 1 rows, -?\d+\n$/);
      expect(await inPostgres(wholeLog, other)).toEqual([]);
    },
    RUNS_MS,
  );

  test(
    'takes what is there at one moment, and says who may write more',
    async () => {
      await inPostgres((store) => talk(store, 1));
      const user = new pg.Client({ connectionString: database.ownerUrl, application_name: 'chat' });
      await user.connect();
      const { code, out } = await log('clone', '--from', database.ownerUrl, '--to', other.ownerUrl, '--json');
      await user.end();
      expect(code).toBe(0);
      expect(JSON.parse(out)).toMatchObject({ rows: { events: 4 }, inUse: ['chat'] });
    },
    RUNS_MS,
  );

  test('is refused for a log in EventStoreDB, and for other options', async () => {
    expect(await log('clone', '--from', eventStoreDb.url, '--to', other.ownerUrl)).toMatchObject({
      code: 2,
      err: 'clone is for databases, which EventStoreDB is not\n',
    });
    expect(await log('clone', '--from', 'a', '--to', 'b', '--follow')).toMatchObject({
      code: 2,
      err: '--follow: is not for clone\n',
    });
  });
});

describe('encrypting a log in EventStoreDB', () => {
  const CANARY = 'kanarienvogel';
  const encrypt = (to: string) =>
    log('encrypt', '--from', eventStoreDb.url, '--to', to, '--checkpoints', database.ownerUrl);
  const holds = (text: string, { events }: Pick<EventStoreDb, 'events'>) =>
    events().some(({ data }) => Buffer.from(data).includes(text));

  test(
    'makes one in which no personal text can be read, which the database follows from then on',
    async () => {
      await withEventStoreDbLog(eventStoreDb.url, undefined, (store) => talk(store, 2));
      await withEventStoreDbLog(eventStoreDb.url, undefined, (store) =>
        store.append(say(newStream(), CANARY)),
      );
      expect(holds(CANARY, eventStoreDb)).toBe(true);
      const target = await startEventStoreDb();
      try {
        const done = await encrypt(target.url);
        expect(done).toMatchObject({ code: 0, err: '' });
        expect(done.out).toContain('no personal text can be read in the target\n');
        expect(holds(CANARY, target)).toBe(false);
        const texts = await withEventStoreDbLog(target.url, database.ownerUrl, wholeLog);
        expect(JSON.stringify(texts)).toContain(CANARY);
        const [followed] = await query<{ first_event: string }>('select first_event from log_identity');
        expect(target.events().map(({ id }) => id)).toContain(followed!.first_event);
      } finally {
        await target.stop();
      }
    },
    RUNS_MS,
  );

  test(
    'refuses a target that an earlier version has begun without sealing',
    async () => {
      await withEventStoreDbLog(eventStoreDb.url, undefined, (store) =>
        store.append(say(newStream(), CANARY)),
      );
      const plain = await startEventStoreDb();
      try {
        const events = await withEventStoreDbLog(eventStoreDb.url, undefined, wholeLog);
        await withEventStoreDbLog(plain.url, undefined, async (store) => {
          for (const { id, stream, type, data, occurredAt, metadata } of events)
            await store.append({
              ...{ stream, occurredAt, metadata, expected: 'any' },
              events: [{ id, event: { type, data } as never }],
            });
        });
        const refused = await encrypt(plain.url);
        expect(refused).toMatchObject({
          code: 1,
          err: expect.stringContaining('has personal text as it is'),
        });
      } finally {
        await plain.stop();
      }
    },
    RUNS_MS,
  );
});
