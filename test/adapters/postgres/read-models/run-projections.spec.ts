import { createPool } from '../../../../src/adapters/postgres/connection.ts';
import {
  remoteProgress,
  startProjections,
} from '../../../../src/adapters/postgres/read-models/run-projections.ts';
import { readModels } from '../../../../src/projections/read-models.ts';
import type { Projection } from '../../../../src/projections/projection.ts';
import { conversationStream } from '../../../../src/events/streams.ts';
import { append } from '../../../support/language/appends.ts';
import { said } from '../../../support/language/conversation.ts';
import { ada, bob, group, groupId } from '../../../support/language/example-events.ts';
import { happened } from '../../../support/language/history.ts';
import { type ReadSide, openReadSide } from '../../../support/stages/read-side.ts';
import { until } from '../../../../tools/until.ts';

let side: ReadSide;
beforeEach(async () => (side = await openReadSide()));
afterEach(() => side.close());

const count = async (table: string) =>
  (await side.owner.query<{ count: number }>(`select count(*) from ${table}`)).rows[0]!.count;
const messages = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => said(from + index, index % 2 === 0 ? ada : bob));

describe('the projections of a process', () => {
  test('count every message once in two processes on one log', async () => {
    const second = await startProjections({ store: side.store, databaseUrl: side.url, log: side.log });
    await side.happened(...group);
    for (let n = 1; n <= 200; n += 20) await happened(side.store, ...messages(n, n + 19));
    const head = await side.store.head();
    expect(await side.projections.progress.reached(head, 10_000)).toBe(true);
    expect(await second.progress.reached(head, 10_000)).toBe(true);
    await second.stop();
    const { rows } = await side.owner.query(
      'select message_count, head_seq from conversations.conversations',
    );
    expect(rows).toEqual([{ message_count: 200, head_seq: 200 }]);
    expect(await count('conversations.messages')).toBe(200);
    const { rows: sent } = await side.owner.query(
      'select sum(sent)::int as sent from conversations.participants',
    );
    expect(sent).toEqual([{ sent: 200 }]);
  });

  test('pause after a large batch until a caller waits for them', async () => {
    const { store, url: databaseUrl, log } = side;
    await side.projections.stop();
    const batches: number[] = [];
    const paced = await startProjections({
      ...{ store, databaseUrl, log, paceMs: 60_000 },
      onProgress: (name, _position, handled) => {
        if (name === 'conversations' && handled > 0) batches.push(handled);
      },
    });
    await happened(store, ...group);
    for (let n = 1; n <= 3; n += 1) {
      await happened(store, ...messages(n, n));
      await until(async () => (await count('conversations.messages')) === n, 'the message to appear');
    }
    const many = await store.append(append(conversationStream(groupId), messages(4, 20)));
    expect(many.outcome).toBe('appended');
    await until(() => batches.includes(17), 'many messages');
    batches.length = 0;
    for (let n = 21; n <= 50; n += 1) await happened(store, ...messages(n, n));
    expect(batches).toEqual([]);
    expect(await paced.progress.reached(await store.head(), 10_000)).toBe(true);
    expect(batches).toEqual([30]);
    // A caller that waits before the events arrive ends the pause as well.
    const reached = paced.progress.reached((await store.head()) + 2, 10_000);
    await happened(store, ...messages(51, 51));
    await happened(store, ...messages(52, 52));
    expect(await reached).toBe(true);
    await paced.stop();
    expect(await count('conversations.messages')).toBe(52);
  });

  test('stop separately at an event they cannot handle, with its position, and resume once they can', async () => {
    await side.owner.query(
      `alter table conversations.messages add constraint no_poison check (text <> 'poison') not valid`,
    );
    await happened(side.store, ...group, said(1), said(2, ada, 'poison'), said(3));
    const conversations = () => side.projections.health().find(({ name }) => name === 'conversations');
    await until(() => conversations()?.stoppedAt !== undefined, 'it stopped');
    expect(conversations()).toMatchObject({
      position: 4,
      stoppedAt: 5,
      error: expect.stringContaining('no_poison'),
    });
    expect(await count('conversations.messages')).toBe(1);

    const others = readModels.map(({ name }) => name).filter((name) => name !== 'conversations');
    expect(await side.projections.progress.reached(6, 5_000, others)).toBe(true);
    expect(await side.projections.progress.reached(6, 50)).toBe(false);
    expect(side.projections.health().filter(({ stoppedAt }) => stoppedAt !== undefined)).toHaveLength(1);

    await side.owner.query('alter table conversations.messages drop constraint no_poison');
    expect(await side.projections.progress.reached(6, 20_000)).toBe(true);
    expect(conversations()).toEqual({ name: 'conversations', position: 6 });
    expect(await count('conversations.messages')).toBe(3);
  }, 40_000);

  test('skip unknown events, but wait before those of a type that they handle', async () => {
    const newer = (position: number, stream: string, type: string, v: number) =>
      side.owner.query(
        `insert into events
         select $1::bigint, $2, 1000 + $1::bigint, gen_random_uuid(), $3, $4::int, data, metadata, occurred_at from events where position = 1`,
        [position, stream, type, v],
      );
    await side.happened(...group, said(1));
    await newer(5, `conversation-${groupId}`, 'MessagePinned', 1);
    await newer(6, `conversation-${groupId}`, 'MessageEdited', 9);
    await newer(7, 'job-1', 'JobReopened', 1);
    const others = readModels.map(({ name }) => name).filter((name) => name !== 'conversations');
    expect(await side.projections.progress.reached(7, 5_000, others)).toBe(true);
    expect(side.projections.progress.positions().get('conversations')).toBeLessThan(6);
    expect(side.projections.health().filter(({ stoppedAt }) => stoppedAt !== undefined)).toEqual([]);
  }, 40_000);

  test('survive cut connections without losing or double-counting events', async () => {
    await side.happened(...group, ...messages(1, 10));
    const cut = () =>
      side.owner.query(`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and application_name like 'projection %'`);
    for (let n = 11; n <= 50; n += 10) {
      await cut();
      await happened(side.store, ...messages(n, n + 9));
    }
    expect(await side.projections.progress.reached(await side.store.head(), 10_000)).toBe(true);
    const { rows } = await side.owner.query('select message_count from conversations.conversations');
    expect(rows).toEqual([{ message_count: 50 }]);
  });

  test('save their checkpoints for other processes', async () => {
    await side.happened(...group, ...messages(1, 5));
    const head = await side.store.head();
    await until(async () => {
      const { rows } = await side.owner.query('select from checkpoints where position = $1', [head]);
      return rows.length === readModels.length;
    }, 'all checkpoints are saved');
  });

  test('report their progress from the table to a process that runs none', async () => {
    const pool = createPool({ url: side.url, max: 1, applicationName: 'elsewhere', log: side.log });
    const elsewhere = remoteProgress(pool);
    await side.happened(...group, ...messages(1, 5));
    const head = await side.store.head();
    expect(await elsewhere.reached(head, 5_000)).toBe(true);
    expect(await elsewhere.reached(head + 1, 100)).toBe(false);
    expect([...elsewhere.positions().values()]).toEqual(readModels.map(() => head));
    await pool.end();
  });

  test('rebuild rows of an older version at the start', async () => {
    await side.happened(...group, ...messages(1, 5));
    await side.projections.stop();
    await side.owner.query('update conversations.conversations set message_count = 99');
    const newer = readModels.map((each) => ({ ...each, version: each.version + 1 })) as Projection[];
    const restarted = await startProjections({
      store: side.store,
      databaseUrl: side.url,
      log: side.log,
      projections: newer,
    });
    await restarted.stop();
    const { rows } = await side.owner.query(
      'select group_id, message_count from conversations.conversations',
    );
    expect(rows).toEqual([{ group_id: groupId, message_count: 5 }]);
    const older = startProjections({ store: side.store, databaseUrl: side.url, log: side.log });
    await expect(older).rejects.toThrow('was made by newer code');
  });
});
