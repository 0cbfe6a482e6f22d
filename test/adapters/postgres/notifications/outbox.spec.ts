import { jest } from '@jest/globals';
import type pg from 'pg';
import { kindNames, kinds } from '../../../../src/notifications/kinds/kinds.ts';
import type { Candidate } from '../../../../src/notifications/notification.ts';
import type { Waiting } from '../../../../src/notifications/outbox.ts';
import { readWaiting } from '../../../../src/adapters/postgres/waiting.ts';
import { deleteInSlices } from '../../../../src/adapters/postgres/delete-in-slices.ts';
import { EXPIRED } from '../../../../src/adapters/postgres/housekeeping.ts';
import { acme, ada, bob, eve, groupId, uuid } from '../../../support/language/example-events.ts';
import {
  type OutboxStage,
  candidate,
  fanOutOf,
  openOutboxStage,
} from '../../../support/stages/outbox-stage.ts';

let stage: OutboxStage;
beforeEach(async () => {
  stage = await openOutboxStage();
  await stage.register(acme, ada, bob);
  await stage.outbox.begin(0);
});
afterEach(() => stage.close());

const MINUTE = 60_000;
const batchId = uuid(0xba1);
const otherBatchId = uuid(0xba2);
const anything = { isSlow: false, limit: 9 };
const byMail = { channel: 'email', topic: 'messages', gatheredAt: null } as const;
const adaByMail: Waiting = { recipientId: ada.userId, ...byMail };
const bobByMail: Waiting = { recipientId: bob.userId, ...byMail };

let written = 0;
beforeEach(() => void (written = 0));
const write = async (...candidates: Candidate[]) => {
  await stage.outbox.write({ from: written, to: written + 1, candidates });
  written += 1;
};
const unpublished = async () => (await stage.outbox.unpublished(9)).map(({ batchId: id }) => id);
/** Gathers Ada's due notifications into a batch, as a relay does. */
const gather = async (id = batchId) => {
  const due = await stage.outbox.due(anything);
  for (const waiting of due) if (waiting.recipientId === ada.userId) await stage.outbox.gather(waiting, id);
};
const sent = (...ns: number[]) =>
  ns.map((n) => ({ eventId: candidate(n, ada).eventId, outcome: 'sent' as const }));
const eventsIn = async (id: string) =>
  (await stage.outbox.load(id))?.notifications.map(({ position }) => position);
/** Makes a batch that is marked as published. */
const publishedBatch = async () => {
  await write(candidate(1, ada), candidate(2, ada));
  await gather();
  await unpublished();
  await stage.outbox.published(batchId);
};

describe('writing', () => {
  test('sets the first checkpoint once, and moves it together with the rows', async () => {
    await stage.outbox.begin(99);
    expect(await stage.outbox.checkpoint()).toBe(0);
    await stage.outbox.write({ from: 0, to: 7, candidates: [] });
    await stage.outbox.write({ from: 7, to: 8, candidates: [candidate(8, ada)] });
    expect(await stage.outbox.checkpoint()).toBe(8);
    expect(await stage.rows()).toEqual([{ ...candidate(8, ada), channel: 'email' }]);
  });

  test('fails when another process has moved the checkpoint', async () => {
    await stage.outbox.write({ from: 0, to: 5, candidates: [] });
    const late = { from: 0, to: 6, candidates: [candidate(6, ada)] };
    await expect(stage.outbox.write(late)).rejects.toThrow('the checkpoint of notifier is not at 0');
    await expect(stage.outbox.write({ ...late, candidates: [] })).rejects.toThrow('not at 0');
    expect([await stage.outbox.checkpoint(), await stage.rows()]).toEqual([5, []]);
  });

  test('is rolled back when its connection is lost between two statements', async () => {
    const connect = stage.pool.connect.bind(stage.pool) as () => Promise<pg.PoolClient>;
    async function connectToLose(): Promise<pg.PoolClient> {
      const client = await connect();
      const query = client.query.bind(client) as (text: string, values?: unknown[]) => Promise<unknown>;
      client.query = (async (text: string, values?: unknown[]) => {
        const answer = await query(text, values);
        if (text.includes('move_checkpoint')) {
          // Not events.once(), which would also listen to the error.
          const lost = new Promise((resolve) => client.once('end', resolve));
          await stage.owner.query(
            `select pg_terminate_backend(pid) from pg_stat_activity
             where application_name = 'outbox' and state = 'idle in transaction' and datname = current_database()`,
          );
          await lost;
        }
        return answer;
      }) as typeof client.query;
      return client;
    }
    jest.spyOn(stage.pool, 'connect').mockReturnValueOnce(connectToLose() as never);
    await expect(write(candidate(1, ada))).rejects.toThrow();
    expect([await stage.outbox.checkpoint(), await stage.rows()]).toEqual([0, []]);
    await write(candidate(1, ada));
    expect(await stage.rows()).toHaveLength(1);
  });

  test('leaves the checkpoint unchanged when the rows cannot be written', async () => {
    const bad = candidate(1, ada, { eventId: 'no-uuid' });
    await expect(stage.outbox.write({ from: 0, to: 1, candidates: [bad] })).rejects.toThrow('uuid');
    expect(await stage.outbox.checkpoint()).toBe(0);
  });

  test('has no effect on existing rows when repeated', async () => {
    await write(candidate(1, ada));
    await gather();
    await write(candidate(1, ada), candidate(2, ada));
    expect(await stage.rows()).toHaveLength(2);
    expect(await eventsIn(batchId)).toEqual([1]);
  });

  test('adds a row for each channel that the recipient has and wants', async () => {
    await stage.subscribes(ada);
    await stage.subscribes(acme);
    const [, last] = await stage.happened(
      stage.prefers(acme, { email: false }),
      stage.prefers(bob, { email: false }),
    );
    await stage.progress.reached(last!.position, 10_000);
    await write(candidate(1, acme), candidate(1, ada), candidate(1, bob), candidate(1, eve));
    const rows = await stage.rows();
    expect(rows.map(({ recipientId, channel }) => [recipientId, channel])).toEqual([
      [acme.userId, 'push'],
      [ada.userId, 'email'],
      [ada.userId, 'push'],
    ]);
  });

  test('skips messages of muted groups, but not applications in them', async () => {
    const [muting] = await stage.happened(stage.prefers(ada, { muted: [groupId] }));
    await stage.progress.reached(muting!.position, 10_000);
    await write(candidate(1, ada), candidate(2, ada, { kind: 'application-status' }));
    expect((await stage.rows()).map(({ kind }) => kind)).toEqual(['application-status']);
  });
});

describe('gathering', () => {
  test('takes at most 500; the rest is due at once', async () => {
    const all = Array.from({ length: 501 }, (_, n) => candidate(501 - n, ada));
    await write(...all);
    await gather();
    expect(await eventsIn(batchId)).toEqual(Array.from({ length: 500 }, (_, n) => n + 1));
    await gather(otherBatchId);
    expect(await eventsIn(otherBatchId)).toEqual([501]);
    expect(await stage.outbox.due(anything)).toEqual([]);
  });

  test('takes what is due, and reports the time of the previous gathering', async () => {
    await write(candidate(1, ada), candidate(1, bob));
    expect(await stage.outbox.due(anything)).toEqual(expect.arrayContaining([adaByMail, bobByMail]));
    await gather();
    expect(await stage.outbox.due(anything)).toEqual([bobByMail]);
    const gatheredAt = stage.clock.now();
    stage.clock.advance(MINUTE);
    await write(candidate(2, ada), candidate(3, ada));
    expect(await stage.outbox.due(anything)).toEqual(expect.arrayContaining([{ ...adaByMail, gatheredAt }]));
    await stage.outbox.gather(adaByMail, otherBatchId);
    expect(await stage.outbox.load(otherBatchId)).toBeUndefined();
    await gather(otherBatchId);
    expect([await eventsIn(batchId), await eventsIn(otherBatchId)]).toEqual([[1], [2, 3]]);
  });

  test('keeps messages and applications apart', async () => {
    await write(candidate(1, ada), candidate(2, ada, { kind: 'application-status' }));
    const applications: Waiting = { ...adaByMail, topic: 'applications' };
    expect(await stage.outbox.due(anything)).toEqual(expect.arrayContaining([adaByMail, applications]));
    await stage.outbox.gather(applications, batchId);
    expect(await eventsIn(batchId)).toEqual([2]);
    expect(await stage.outbox.due(anything)).toEqual([adaByMail]);
  });

  test.each(kindNames)(
    'takes the kind %s with its topic, as classified by the functions in the database',
    async (kind) => {
      await write(candidate(1, ada, { kind }));
      const { topic } = kinds[kind];
      expect(await stage.outbox.due(anything)).toEqual([{ ...adaByMail, topic }]);
      await stage.outbox.gather({ ...adaByMail, topic }, batchId);
      expect(await eventsIn(batchId)).toEqual([1]);
    },
  );

  test('reconsiders postponed notifications of a recipient whose preferences have changed', async () => {
    await write(candidate(1, ada), candidate(1, bob));
    for (const waiting of [adaByMail, bobByMail])
      await stage.outbox.postpone(waiting, stage.clock.in(60 * MINUTE));
    await stage.outbox.reconsider([ada.userId]);
    expect(await stage.outbox.due(anything)).toEqual([adaByMail]);
  });

  test('waits for the latest time that it was postponed to', async () => {
    await write(candidate(1, ada));
    await stage.outbox.postpone(adaByMail, stage.clock.in(MINUTE));
    await stage.outbox.postpone(adaByMail, stage.clock.in(5));
    stage.clock.advance(MINUTE - 1);
    expect(await stage.outbox.due(anything)).toEqual([]);
    stage.clock.advance(1);
    expect(await stage.outbox.due(anything)).toEqual([adaByMail]);
  });

  test('gives each notification to one batch, despite concurrent gathering and writing', async () => {
    for (let n = 1; n <= 40; n += 1) {
      const gathering = [1, 2, 3].map((k) => gather(uuid(n * 10 + k)));
      await Promise.all([write(candidate(n, ada)), ...gathering]);
    }
    const { rows } = await stage.owner.query<{ unseen: number; empty: number; waits: boolean }>(
      `select
         (select count(*) from notifications where batch_id is null) as unseen,
         (select count(*) from notification_batches b where not exists (
            select from notifications n where n.batch_id = b.batch_id)) as empty,
         (select waits from notification_pace) as waits`,
    );
    // A notification without a batch is due: none is forgotten.
    expect(rows).toEqual([{ unseen: expect.any(Number), empty: 0, waits: rows[0]!.unseen > 0 }]);
    await gather(uuid(0xfff0));
    expect((await stage.rows()).length).toBe(40);
    const left = await stage.owner.query('select from notifications where batch_id is null');
    expect(left.rowCount).toBe(0);
  });
});

describe('publishing', () => {
  test('hands a batch to one relay at a time, and to the next when that relay has died', async () => {
    await write(candidate(1, ada));
    await gather();
    const both = await Promise.all([unpublished(), unpublished()]);
    expect(both.flat()).toEqual([batchId]);
    stage.clock.advance(9_999);
    expect(await unpublished()).toEqual([]);
    stage.clock.advance(1);
    expect(await unpublished()).toEqual([batchId]);
  });

  test('repeats a published batch that is not settled for 15 minutes', async () => {
    await publishedBatch();
    stage.clock.advance(15 * MINUTE - 1);
    expect(await unpublished()).toEqual([]);
    stage.clock.advance(1);
    expect(await unpublished()).toEqual([batchId]);
    await stage.outbox.published(batchId);
    await stage.outbox.settle(batchId, sent(1, 2));
    stage.clock.advance(60 * MINUTE);
    expect(await unpublished()).toEqual([]);
  });

  test('repeats a batch at the time of its retry, even if requested before the publication was marked', async () => {
    await write(candidate(1, ada));
    await gather();
    await unpublished();
    await stage.outbox.retry(batchId, stage.clock.in(MINUTE), 'greylisted');
    await stage.outbox.published(batchId);
    expect(await unpublished()).toEqual([]);
    stage.clock.advance(MINUTE);
    expect(await unpublished()).toEqual([batchId]);
    expect(await stage.outbox.load(batchId)).toMatchObject({ attempts: 1 });
  });
});

describe('settling', () => {
  test('completes a batch with the last of its notifications; the first outcome stands', async () => {
    await publishedBatch();
    await stage.outbox.settle(batchId, sent(1));
    expect(await eventsIn(batchId)).toEqual([2]);
    await stage.outbox.settle(batchId, [
      { eventId: candidate(1, ada).eventId, outcome: 'read' },
      { eventId: candidate(2, ada).eventId, outcome: 'deleted' },
    ]);
    expect(await eventsIn(batchId)).toBeUndefined();
    const { rows } = await stage.owner.query('select outcome from notifications order by position');
    expect(rows).toEqual([{ outcome: 'sent' }, { outcome: 'deleted' }]);
  });

  test('completes a batch when its halves are settled concurrently', async () => {
    await publishedBatch();
    await Promise.all([1, 2].map((n) => stage.outbox.settle(batchId, sent(n))));
    const { rowCount } = await stage.owner.query(
      'select from notification_batches where done_at is not null',
    );
    expect(rowCount).toBe(1);
  });

  test('ignores an unknown batch', async () => {
    expect(await stage.outbox.load(otherBatchId)).toBeUndefined();
    await stage.outbox.settle(otherBatchId, sent(1));
    await stage.outbox.retry(otherBatchId, stage.clock.now(), 'no');
    await stage.outbox.park(otherBatchId, 'no');
    await stage.outbox.published(otherBatchId);
    expect(await stage.outbox.parked()).toEqual([]);
  });
});

describe('parking', () => {
  const parked = () => ({
    batchId,
    recipientId: ada.userId,
    channel: 'email',
    reason: 'no such mailbox',
    parkedAt: stage.clock.now().toISOString(),
    notifications: 2,
  });

  test('takes a batch out of circulation until an operator replays it', async () => {
    await publishedBatch();
    await stage.outbox.retry(batchId, stage.clock.now(), 'busy');
    await stage.outbox.park(batchId, 'no such mailbox');
    expect(await stage.outbox.parked()).toEqual([parked()]);
    expect(await stage.outbox.load(batchId)).toBeUndefined();
    stage.clock.advance(60 * MINUTE);
    await stage.outbox.park(batchId, 'again');
    await stage.outbox.retry(batchId, stage.clock.now(), 'late');
    expect(await unpublished()).toEqual([]);

    expect(await stage.outbox.replay([otherBatchId])).toBe(0);
    expect([await stage.outbox.replay(), await stage.outbox.replay([batchId])]).toEqual([1, 0]);
    expect([await stage.outbox.parked(), await unpublished()]).toEqual([[], [batchId]]);
    expect(await stage.outbox.load(batchId)).toMatchObject({ attempts: 0 });
  });

  test('does not replay a letter that was sent after all', async () => {
    await publishedBatch();
    await stage.outbox.park(batchId, 'no such mailbox');
    await stage.outbox.settle(batchId, sent(1, 2));
    expect([await stage.outbox.parked(), await stage.outbox.replay()]).toEqual([[], 0]);
  });
});

describe('settled notifications', () => {
  test('expire a day later, once they are behind the checkpoint', async () => {
    const sweep = async () => {
      const counts: [string, number][] = [];
      for (const expired of EXPIRED)
        counts.push([expired.table, await deleteInSlices(stage.pool, expired, { now: stage.clock.now() })]);
      return Object.fromEntries(counts.filter(([, count]) => count > 0));
    };
    await write(candidate(1, ada), candidate(9, ada), candidate(1, bob));
    await gather();
    await stage.outbox.settle(batchId, sent(1, 9));
    stage.clock.advance(24 * 60 * MINUTE);
    expect(await sweep()).toEqual({});
    stage.clock.advance(1);
    await stage.outbox.write({
      from: written,
      to: written,
      candidates: [],
      fanOuts: [fanOutOf(1, ada, stage.clock)],
    });
    const fanOut = (await stage.fanOuts.next({ after: undefined, beyond: 0 }))!;
    expect(await sweep()).toEqual({ notification_batches: 1 });
    await stage.fanOuts.advance(fanOut, { to: undefined, candidates: [] });
    expect(await sweep()).toEqual({ notifications: 1 });
    expect((await stage.rows()).map(({ position, recipientId }) => [position, recipientId])).toEqual([
      [1, bob.userId],
      [9, ada.userId],
    ]);
    expect(await stage.outbox.load(batchId)).toBeUndefined();
  });

  test('The backlog counts waiting, stuck and parked batches', async () => {
    const nothing = { waiting: 0, oldestUnpublishedSeconds: 0, parked: 0 };
    expect(await stage.outbox.backlog()).toEqual(nothing);
    await write(candidate(1, ada), candidate(1, bob));
    expect(await stage.outbox.backlog()).toEqual({ ...nothing, waiting: 2 });
    await gather();
    stage.clock.advance(90_500);
    expect(await stage.outbox.backlog()).toEqual({ ...nothing, waiting: 2, oldestUnpublishedSeconds: 90.5 });
    await stage.outbox.published(batchId);
    expect(await stage.outbox.backlog()).toEqual({ ...nothing, waiting: 2 });
    await stage.outbox.park(batchId, 'no');
    expect(await stage.outbox.backlog()).toEqual({ ...nothing, waiting: 2, parked: 1 });
  });

  test('What waits is counted with the age of the oldest, but not what was put off or parked', async () => {
    const waiting = async () => {
      const { queues, parked } = await readWaiting(stage.pool, stage.clock.now());
      const found = queues.filter(({ count, seconds }) => count + seconds > 0);
      return {
        ...Object.fromEntries(found.map(({ queue, ...rest }) => [queue, rest])),
        ...(parked > 0 && { parked }),
      };
    };
    expect(await waiting()).toEqual({});
    await write(candidate(1, ada), candidate(1, bob));
    stage.clock.advance(30_000);
    expect(await waiting()).toEqual({ notifications: { count: 2, seconds: 30 } });
    await gather();
    stage.clock.advance(90_500);
    const late = { notifications: { count: 2, seconds: 120.5 } };
    expect(await waiting()).toEqual({ ...late, batches: { count: 1, seconds: 90.5 } });
    // A queue that has it does not make it younger, nor does a failure.
    await stage.outbox.published(batchId);
    await stage.outbox.retry(batchId, stage.clock.in(MINUTE), 'the mail server is gone');
    expect(await waiting()).toEqual({ ...late, batches: { count: 1, seconds: 90.5 } });
    // Quiet hours do, until they are over.
    await stage.outbox.retry(batchId, stage.clock.in(60 * MINUTE));
    expect(await waiting()).toEqual(late);
    stage.clock.advance(61 * MINUTE);
    expect(await waiting()).toMatchObject({ batches: { count: 1, seconds: 60 } });
    await stage.outbox.park(batchId, 'no');
    expect(await waiting()).toMatchObject({ parked: 1 });
    expect(await waiting()).not.toHaveProperty('batches');
  });
});
