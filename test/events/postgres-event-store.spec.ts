import { randomUUID } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import pg from 'pg';
import { pino } from 'pino';
import { EventStoreUnavailable, type Recorded } from '../../src/events/event-store.ts';
import { UserId } from '../../src/events/ids.ts';
import { UnreadableEvent } from '../../src/events/stored-events.ts';
import { createPool } from '../../src/adapters/postgres/connection.ts';
import {
  createPostgresEventStore,
  type PostgresEventStore,
  type PostgresEventStoreSettings,
} from '../../src/adapters/postgres/event-log/event-store.ts';
import type { KeyRing } from '../../src/privacy/key-ring.ts';
import { ROLES, type TestDatabase, createTestDatabase } from '../support/stages/database.ts';
import { sealIn } from '../support/stages/seal.ts';
import { append, groupClosed, memberJoined, memberLeft, messageSent } from '../support/language/appends.ts';
import { until } from '../../tools/until.ts';
import { describeAppendHistories } from './append-histories.ts';
import { describeEventStore, describeGaplessPositions } from './event-store-contract.ts';
import { describeSealedText } from './sealed-text-contract.ts';

const log = pino({ level: 'silent' });

async function openStore(
  database: TestDatabase,
  options: Pick<PostgresEventStoreSettings, 'paceMs' | 'onBatch' | 'onUnknown'> = {},
): Promise<{ store: PostgresEventStore; keyRing: KeyRing; close(): Promise<void> }> {
  const { url } = database;
  const pool = createPool({ url, max: 4, applicationName: 'test reads', log });
  const { textSeal, keyRing } = await sealIn(pool);
  const store = createPostgresEventStore({ pool, url, log, textSeal, ...options });
  await store.start();
  return {
    store,
    keyRing,
    async close() {
      await store.close();
      await pool.end();
    },
  };
}

const cutConnections = (owner: pg.Client, name: string) =>
  owner.query(
    `select pg_terminate_backend(pid, 5000) from pg_stat_activity
     where application_name = $1 and datname = current_database()`,
    [name],
  );

const openInNewDatabase = async () => {
  const database = await createTestDatabase();
  const { store, close } = await openStore(database);
  return {
    store,
    async close() {
      await close();
      await database.drop();
    },
  };
};

describeEventStore('on PostgreSQL', openInNewDatabase);
describeGaplessPositions('on PostgreSQL', openInNewDatabase);

describeSealedText('on PostgreSQL', async () => {
  const database = await createTestDatabase();
  const opened: Awaited<ReturnType<typeof openStore>>[] = [];
  return {
    async open() {
      const each = await openStore(database);
      opened.push(each);
      return each;
    },
    async close() {
      await Promise.all(opened.map(({ close }) => close()));
      await database.drop();
    },
  };
});

describeAppendHistories('on PostgreSQL', async () => {
  const database = await createTestDatabase();
  const owner = new pg.Client({ connectionString: database.ownerUrl });
  await owner.connect();
  const nodes = [await openStore(database), await openStore(database)] as const;
  let cut: Promise<unknown> | undefined;
  const cutOnce = () => {
    cut ??= cutConnections(owner, 'event log appends').finally(() => (cut = undefined));
  };
  return {
    stores: [nodes[0].store, nodes[1].store],
    // Few of them: connecting again takes a while.
    faults: [cutOnce, ...Array<() => void>(19).fill(() => {})],
    isIdUnique: true,
    async close() {
      await cut;
      for (const { close } of nodes) await close();
      await owner.end();
      await database.drop();
    },
  };
});

// Nobody else moves the head, so that the revisions which the process knows count.
describeAppendHistories('on PostgreSQL, alone with it', async () => {
  const database = await createTestDatabase();
  const { store, close } = await openStore(database);
  return {
    stores: [store, store],
    faults: [],
    isIdUnique: true,
    async close() {
      await close();
      await database.drop();
    },
  };
});

describe('the log on PostgreSQL, beyond the contract', () => {
  let database: TestDatabase;
  let store: PostgresEventStore;
  let close: () => Promise<void>;
  let owner: pg.Client;
  beforeEach(async () => {
    database = await createTestDatabase();
    ({ store, close } = await openStore(database));
    owner = new pg.Client({ connectionString: database.ownerUrl });
    await owner.connect();
  });
  afterEach(async () => {
    await close();
    await owner.end();
    await database.drop();
  });

  const say = (text: string) => append('conversation-1', [messageSent(text)]);
  const cut = (name: string) => cutConnections(owner, name);

  /** Appends until it succeeds, like a caller that retries. */
  async function appendWithRetries(wanted = say('again')): Promise<void> {
    const attempt = () =>
      store.append(wanted).then(
        () => true,
        (error: unknown) => {
          if (error instanceof EventStoreUnavailable) return false;
          throw error;
        },
      );
    await until(attempt, 'the log to accept it');
  }

  async function nextOf(batches: AsyncIterator<Recorded[]>): Promise<string[]> {
    const { value } = await batches.next();
    return (value as Recorded[]).map((event) =>
      event.type === 'MessageSent' ? event.data.text! : event.type,
    );
  }

  test.each(['update events set type = type', 'delete from events', 'truncate events'])(
    'refuses "%s" to the application and to the owner',
    async (statement) => {
      await store.append(say('a'));
      const app = new pg.Client({ connectionString: database.url });
      await app.connect();
      await expect(app.query(statement)).rejects.toMatchObject({ code: '42501' });
      await app.end();
      const refusal = { code: '42501', message: expect.stringMatching(/^events are never changed/) };
      await expect(owner.query(statement)).rejects.toMatchObject(refusal);
      expect(await store.head()).toBe(1);
    },
  );

  test('refuses one append that PostgreSQL cannot store without failing its neighbours', async () => {
    const bad = say('b');
    bad.events[0]!.id = 'not a uuid';
    const verdicts = await Promise.allSettled(
      [say('a'), bad, say('c')].map((wanted) => store.append(wanted)),
    );
    expect(verdicts.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(verdicts[1]).toMatchObject({ reason: { code: '22P02' } });
    expect(await store.head()).toBe(2);
  });

  test('with a pace writes the appends that arrive during the pause together, also at the end', async () => {
    const batches: number[] = [];
    const paced = await openStore(database, {
      paceMs: 500,
      onBatch: ({ appends }) => batches.push(appends),
    });
    for (const text of ['a', 'a', 'a']) await paced.store.append(say(text));
    const later: Promise<unknown>[] = [];
    for (const text of ['b', 'c', 'd']) {
      later.push(paced.store.append(say(text)));
      await turn();
    }
    await Promise.all(later);
    const last = paced.store.append(say('e'));
    await paced.close();
    await last;
    expect(batches).toEqual([1, 1, 1, 3, 1]);
    expect(await store.head()).toBe(7);
  });

  describe('after appends that it judged by the revisions it knew', () => {
    const userId = UserId.parse(randomUUID());
    const group = 'chatGroup-1';
    const saidAsMember = (revision: number) =>
      append('conversation-1', [messageSent('a')], { guards: [{ stream: group, revision, about: userId }] });
    let other: Awaited<ReturnType<typeof openStore>>;
    beforeEach(async () => {
      other = await openStore(database);
      await store.append(append(group, [memberJoined(userId)]));
      for (let n = 0; n < 3; n += 1)
        expect(await store.append(saidAsMember(0))).toMatchObject({ outcome: 'appended' });
    });
    afterEach(() => other.close());

    test('stores one more without judging it again', async () => {
      await owner.query(`revoke execute on all functions in schema public from ${ROLES.app}`);
      await owner.query(`grant execute on function append_known to ${ROLES.app}`);
      expect(await store.append(saidAsMember(0))).toMatchObject({ outcome: 'appended' });
    });

    test('tells a repetition as one', async () => {
      const wanted = saidAsMember(0);
      const { events } = (await store.append(wanted)) as { events: Recorded[] };
      expect(await store.append(wanted)).toEqual({ outcome: 'duplicate', events });
      expect(await store.head()).toBe(5);
    });

    test('sees what another process appended to a stream that a decision relied on', async () => {
      await other.store.append(append(group, [memberLeft(userId)]));
      const verdict = { outcome: 'conflict', stream: group, actual: 1 };
      expect(await store.append(saidAsMember(0))).toEqual(verdict);
      // Nor does it take for known what it knew before.
      expect(await store.append(saidAsMember(0))).toEqual(verdict);
      expect(await store.append(saidAsMember(1))).toMatchObject({ outcome: 'appended' });
    });

    test('sees what another process appended to the stream itself', async () => {
      await other.store.append(say('b'));
      const late = append('conversation-1', [messageSent('c')], { expected: 2 });
      expect(await store.append(late)).toEqual({ outcome: 'conflict', stream: 'conversation-1', actual: 3 });
      const { events } = (await store.append(say('c'))) as { events: Recorded[] };
      expect(events[0]).toMatchObject({ revision: 4, position: 6 });
    });

    test('knows its own appends to a stream that a decision relied on', async () => {
      await store.append(append(group, [memberLeft(userId)]));
      expect(await store.append(saidAsMember(0))).toEqual({
        ...{ outcome: 'conflict', stream: group, actual: 1 },
      });
      const other = append('conversation-1', [messageSent('c')], {
        guards: [{ stream: group, revision: 1 }],
      });
      expect(await store.append(other)).toMatchObject({ outcome: 'appended' });
    });
  });

  test('recovers by itself when the append connection is cut', async () => {
    await store.append(say('a'));
    await cut('event log appends');
    await appendWithRetries();
    expect(await store.head()).toBe(2);
  });

  test('reports that it is unavailable while another process holds the log, and stores nothing twice', async () => {
    await owner.query('begin');
    await owner.query('select pg_advisory_xact_lock(7233170193)');
    const wanted = say('a');
    await expect(store.append(wanted)).rejects.toBeInstanceOf(EventStoreUnavailable);
    await owner.query('commit');
    await appendWithRetries(wanted);
    expect(await store.head()).toBe(1);
  });

  test('holds at most 10,000 waiting appends', async () => {
    await owner.query('begin');
    await owner.query('select pg_advisory_xact_lock(7233170193)');
    // From the next turn on it is out of the queue, waiting in its batch.
    const first = store.append(say('first'));
    await new Promise(setImmediate);
    const verdicts = Promise.allSettled(Array.from({ length: 10_100 }, () => store.append(say('x'))));
    await expect(store.append(say('one too many'))).rejects.toThrow(/too many appends are waiting/);
    await owner.query('commit');
    const stored = (await verdicts).filter(({ status }) => status === 'fulfilled');
    await first;
    expect(stored).toHaveLength(10_000);
    expect(await store.head()).toBe(10_001);
  });

  test('delivers what another process appends, also after its notification and read connections were cut', async () => {
    const other = await openStore(database);
    const done = new AbortController();
    const batches = store.subscribe({ after: 0, signal: done.signal })[Symbol.asyncIterator]();
    await other.store.append(say('a'));
    expect(await nextOf(batches)).toEqual(['a']);
    await cut('event log notifications');
    await cut('test reads');
    const next = nextOf(batches);
    await other.store.append(say('b'));
    expect(await next).toEqual(['b']);
    done.abort();
    await batches.return!();
    await other.close();
  });

  test('wakes no process of lingering subscriptions for foreign appends, which it still finds', async () => {
    const other = await openStore(database);
    const listeners = async () =>
      (
        await owner.query(
          `select from pg_stat_activity
           where application_name = 'event log notifications' and datname = current_database()`,
        )
      ).rowCount;
    const done = new AbortController();
    const { signal } = done;
    const types = ['MessageSent'];
    const batches = store.subscribe({ after: 0, lingerMs: 100, types, signal })[Symbol.asyncIterator]();
    for (const text of ['a', 'b']) {
      await other.store.append(append('chatGroup-1', [groupClosed]));
      const next = nextOf(batches);
      await other.store.append(say(text));
      expect(await next).toEqual([text]);
    }
    expect(await listeners()).toBe(0);
    const hasty = store.subscribe({ after: 0, signal })[Symbol.asyncIterator]();
    await hasty.next();
    await until(async () => (await listeners()) === 1);
    done.abort();
    await Promise.all([batches.return!(), hasty.return!()]);
    await other.close();
  });

  test('hands over in the tick in which the append resolves', async () => {
    const done = new AbortController();
    const batches = store.subscribe({ after: 0, signal: done.signal })[Symbol.asyncIterator]();
    const order: string[] = [];
    const delivered = batches.next().then(() => order.push('delivered'));
    // The first read finds nothing, so the subscription is at the head.
    await store.readAll({ after: 0, limit: 1 });
    await store.append(say('a')).then(() => {
      order.push('resolved');
      setImmediate(() => order.push('next tick'));
    });
    await delivered;
    await new Promise(setImmediate);
    expect(order).toEqual(['resolved', 'delivered', 'next tick']);
    done.abort();
    await batches.return!();
  });

  test('stops at an unreadable event, after everything before it, and reports its position', async () => {
    await store.append(append('conversation-1', ['a', 'b', 'c'].map(messageSent)));
    await owner.query(`
      insert into events select 4, stream, 3, gen_random_uuid(), type, 1, '{}', metadata, occurred_at
      from events where position = 1`);
    await expect(store.readAll({ after: 0, limit: 10 })).rejects.toThrow(UnreadableEvent);
    await expect(store.readStream('conversation-1')).rejects.toThrow(/position 4/);
    const delivered: number[] = [];
    const following = async () => {
      for await (const batch of store.subscribe({ after: 0, signal: new AbortController().signal })) {
        delivered.push(...batch.map(({ position }) => position));
      }
    };
    await expect(following()).rejects.toThrow(/position 4 cannot be read: MessageSent v1/);
    expect(delivered).toEqual([1, 2, 3]);
  });

  test('reads events of newer code as unknown, and reports their position', async () => {
    await store.append(append('conversation-1', ['a'].map(messageSent)));
    await owner.query(`
      insert into events select 2, stream, 1, gen_random_uuid(), 'Pinned', 1, data, metadata, occurred_at
      from events where position = 1;
      insert into events select 3, stream, 2, gen_random_uuid(), type, 2, data, metadata, occurred_at
      from events where position = 1`);
    const met: string[] = [];
    const other = await openStore(database, {
      onUnknown: ({ type, v, position }) => void met.push(`${type} v${v} at ${position}`),
    });
    const read = await other.store.readAll({ after: 0, limit: 10 });
    expect(read.map(({ type, position }) => [type, position])).toEqual([
      ['MessageSent', 1],
      ['Unknown', 2],
      ['Unknown', 3],
    ]);
    expect(met).toEqual(['Pinned v1 at 2', 'MessageSent v2 at 3']);
    const ofType = await other.store.readAll({ after: 0, limit: 10, types: ['MessageSent'] });
    expect(ofType.map(({ position }) => position)).toEqual([1, 3]);
    await other.close();
  });

  test('ends its subscriptions and refuses appends once closed', async () => {
    const following = (async () => {
      for await (const _ of store.subscribe({ after: 0, signal: new AbortController().signal }));
    })();
    await store.close();
    await following;
    await expect(store.append(say('a'))).rejects.toBeInstanceOf(EventStoreUnavailable);
  });
});
