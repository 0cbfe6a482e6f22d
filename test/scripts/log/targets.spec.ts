import pg from 'pg';
import { pino } from 'pino';
import { createEventStoreDbEventStore } from '../../../src/adapters/eventstoredb/event-store.ts';
import { createPool } from '../../../src/adapters/postgres/connection.ts';
import { noEventIds } from '../../../src/adapters/postgres/tables/event-ids.ts';
import { createPostgresEventStore } from '../../../src/adapters/postgres/event-log/event-store.ts';
import {
  type EventStore,
  EventStoreUnavailable,
  type NewEvent,
  type Recorded,
} from '../../../src/events/event-store.ts';
import { Misplaced, type Target } from '../../../src/operations/copy-log.ts';
import { createEventStoreDbTarget, createPostgresTarget } from '../../../scripts/log/targets.ts';
import { type EventStoreDb, startEventStoreDb } from '../../support/eventstoredb/eventstoredb.ts';
import { append, messageSent, newStream, range, say } from '../../support/language/appends.ts';
import { createInMemoryEventStore } from '../../support/language/in-memory-event-store.ts';
import { type TestDatabase, createTestDatabase } from '../../support/stages/database.ts';

const silent = pino({ level: 'silent' });
const [one, other] = [newStream(), newStream()];

/** Events as a source has them: appends of one and of two events to two streams in turns. */
async function eventsInSource(): Promise<Recorded[][]> {
  const source = createInMemoryEventStore();
  const groups: Recorded[][] = [];
  for (const n of range(10)) {
    const verdicts = [
      await source.append(say(one, `one ${n}`)),
      await source.append(append(other, [messageSent('ü "\n"'), messageSent('b')])),
    ];
    for (const verdict of verdicts) if (verdict.outcome === 'appended') groups.push(verdict.events);
  }
  return groups;
}

interface Stage {
  target: Target;
  /** Appends like another process. */
  disturb(event: Recorded): Promise<unknown>;
  close(): Promise<void>;
}

const appendOf = ({ id, stream, type, data, occurredAt, metadata }: Recorded) => ({
  stream,
  events: [{ id, event: { type, data } } as NewEvent],
  expected: 'any' as const,
  occurredAt,
  metadata,
});

let database: TestDatabase;
let eventStoreDb: EventStoreDb;

type Closing<T> = T & { close(): Promise<void> };

const stageOf = (store: Closing<EventStore>, target: Closing<Target>, end: () => Promise<void>): Stage => ({
  target,
  disturb: (event) => store.append(appendOf(event)),
  async close() {
    await target.close();
    await store.close();
    await end();
  },
});

async function stagePostgres(): Promise<Stage> {
  database = await createTestDatabase();
  const { url } = database;
  const pool = createPool({ url, max: 2, applicationName: 'test', log: silent });
  const store = createPostgresEventStore({ pool, url, log: silent });
  return stageOf(store, createPostgresTarget({ url, log: silent }, store), async () => {
    await pool.end();
    await database.drop();
  });
}

async function stageEventStoreDb(): Promise<Stage> {
  eventStoreDb = await startEventStoreDb();
  const { url } = eventStoreDb;
  const store = createEventStoreDbEventStore({ url, ids: noEventIds, log: silent });
  await store.start();
  return stageOf(store, createEventStoreDbTarget({ url, log: silent }, store), () => eventStoreDb.stop());
}

let stage: Stage;
let groups: Recorded[][];
const withoutPositions = (events: Recorded[]) => events.map(({ position: _, ...event }) => event);
const stored = async () => withoutPositions(await stage.target.readAll({ after: 0, limit: 1_000 }));

describe.each([
  ['PostgreSQL', stagePostgres],
  ['EventStoreDB', stageEventStoreDb],
])('the target in %s', (_name, makeStage) => {
  beforeEach(async () => {
    [stage, groups] = await Promise.all([makeStage(), eventsInSource()]);
  });
  afterEach(() => stage.close());

  test('stores events in their order, with their ids, revisions, times and metadata', async () => {
    await stage.target.append(groups.slice(0, 7));
    await stage.target.append(groups.slice(7));
    expect(await stored()).toEqual(withoutPositions(groups.flat()));
  });

  test('refuses what is stored already, and events with a gap before them', async () => {
    await stage.target.append(groups.slice(0, 4));
    const again = groups.slice(0, 1).map(([event]) => [{ ...event!, id: groups[9]![0]!.id }]);
    await expect(stage.target.append(again)).rejects.toThrow(Misplaced);
    await expect(stage.target.append([groups[6]!])).rejects.toThrow(Misplaced);
    expect(await stored()).toEqual(withoutPositions(groups.slice(0, 4).flat()));
  });

  test('rejects when another process writes to one of the streams', async () => {
    await stage.target.append(groups.slice(0, 2));
    await stage.disturb(groups[19]![0]!);
    await expect(stage.target.append([groups[3]!])).rejects.toThrow(Misplaced);
    expect(await stored()).toHaveLength(4);
  });
});

describe('the target in PostgreSQL', () => {
  beforeEach(async () => {
    [stage, groups] = await Promise.all([stagePostgres(), eventsInSource()]);
  });
  afterEach(() => stage.close());

  test('waits for the disk, whatever the default of the database', async () => {
    const owner = new pg.Client({ connectionString: database.ownerUrl });
    await owner.connect();
    await owner.query(`
      do $$ begin execute format('alter database %I set synchronous_commit = off', current_database()); end $$;
      create function require_durability() returns trigger language plpgsql as $$ begin
        if current_setting('synchronous_commit') <> 'on' then raise 'a crash may undo this append'; end if;
        return null;
      end $$;
      create trigger require_durability after insert on events execute function require_durability()`);
    await owner.end();
    await stage.target.append(groups);
    expect(await stored()).toEqual(withoutPositions(groups.flat()));
  });

  test('stores all events of a call or none', async () => {
    const wrong = [
      ...groups.slice(0, 3),
      groups[8]!.map((event) => ({ ...event, revision: 99, stream: newStream() })),
    ];
    await expect(stage.target.append(wrong)).rejects.toThrow(Misplaced);
    expect(await stored()).toEqual([]);
  });
});

describe('the target in EventStoreDB', () => {
  beforeEach(async () => {
    [stage, groups] = await Promise.all([stageEventStoreDb(), eventsInSource()]);
  });
  afterEach(() => stage.close());

  test('stores once what is sent again after a lost answer', async () => {
    await stage.target.append(groups.slice(0, 2));
    eventStoreDb.faults.loseReply();
    await expect(stage.target.append(groups.slice(2, 4))).rejects.toThrow(EventStoreUnavailable);
    await stage.target.append(groups.slice(2));
    expect(await stored()).toEqual(withoutPositions(groups.flat()));
  });

  test('sends the first append over a new call alone: a server that refuses it gets nothing else', async () => {
    eventStoreDb.faults.unavailable();
    await expect(stage.target.append(groups)).rejects.toThrow(EventStoreUnavailable);
    expect(await stored()).toEqual([]);
    await stage.target.append(groups);
    expect(await stored()).toEqual(withoutPositions(groups.flat()));
  });

  test('has a beginning of the events when its connection breaks', async () => {
    const answer = stage.target.append(groups);
    await eventStoreDb.restart();
    await answer.catch(() => undefined);
    const { length } = await stored();
    expect(await stored()).toEqual(withoutPositions(groups.flat()).slice(0, length));
  });
});
