import { jest } from '@jest/globals';
import { standardPreferences } from '../../src/commands/account/account.ts';
import type { NotificationPreferences } from '../../src/events/account.ts';
import { UserId } from '../../src/events/ids.ts';
import { type Queue, QueueUnavailable } from '../../src/notifications/deliver/queue.ts';
import { type Relay, type RelayOptions, startRelay } from '../../src/notifications/deliver/relay.ts';
import { newId } from '../../src/kit/uuids.ts';
import { acme, ada, bob, uuid } from '../support/language/example-events.ts';
import { linesOf } from '../support/log-lines.ts';
import { type OutboxStage, candidate, openOutboxStage } from '../support/stages/outbox-stage.ts';
import { until } from '../../tools/until.ts';

const MINUTE = 60_000;

let stage: OutboxStage;
let relays: Relay[];
let preferences: Map<string, Partial<NotificationPreferences>>;
/** The batches that the queue has confirmed, oldest first. */
let queued: string[];
let publish: jest.Mock<Queue['publish']>;
beforeEach(async () => {
  stage = await openOutboxStage();
  await stage.register(acme, ada, bob);
  await stage.outbox.begin(0);
  relays = [];
  preferences = new Map();
  queued = [];
  publish = jest.fn<Queue['publish']>(async (batchId) => void queued.push(batchId));
});
afterEach(async () => {
  await Promise.all(relays.map((relay) => relay.stop()));
  await stage.close();
});

function start(changed: Partial<RelayOptions> = {}) {
  const { log, lines } = linesOf('warn');
  const relay = startRelay({
    outbox: stage.outbox,
    queue: { publish },
    preferencesOf: async (userId) => ({ ...standardPreferences, ...preferences.get(userId) }),
    newId,
    now: stage.clock.now,
    log,
    everyMs: 5,
    rest: () => 0,
    ...changed,
  });
  relays.push(relay);
  return { ...relay, lines };
}
let position = 0;
beforeEach(() => void (position = 0));
const write = async (...people: (typeof ada)[]) => {
  const to = position + 1;
  await stage.outbox.write({ from: position, to, candidates: people.map((person) => candidate(to, person)) });
  position = to;
};
const isQueued = (count: number) => until(() => queued.length >= count, `${count} batches`);
const batch = async (index: number) => {
  const loaded = await stage.outbox.load(queued[index]!);
  return loaded && [loaded.recipientId, loaded.notifications.map((each) => each.position)];
};
/** Waits until the relay has polled twice. */
async function looks(): Promise<void> {
  const due = jest.spyOn(stage.outbox, 'due');
  await until(() => due.mock.calls.length >= 6, 'the relay to poll');
  due.mockRestore();
}
const unmarked = async () =>
  (await stage.owner.query('select from notification_batches where claimed_until is not null')).rowCount;

describe('the relay', () => {
  test('publishes the first message at once and gathers later ones for digestMinutes', async () => {
    start();
    await write(ada);
    await isQueued(1);
    await write(ada);
    await write(ada, bob);
    await isQueued(2);
    stage.clock.advance(10 * MINUTE - 1);
    await looks();
    expect(queued).toHaveLength(2);
    stage.clock.advance(1);
    await isQueued(3);
    expect(await Promise.all([0, 1, 2].map(batch))).toEqual([
      [ada.userId, [1]],
      [bob.userId, [3]],
      [ada.userId, [2, 3]],
    ]);
  });

  test('gathers at the pace of the recipient', async () => {
    preferences.set(ada.userId, { digestMinutes: 0 }).set(bob.userId, { digestMinutes: 14 });
    start();
    await write(ada, bob);
    await isQueued(2);
    await write(ada, bob);
    await isQueued(3);
    stage.clock.advance(14 * MINUTE - 1);
    await looks();
    expect(queued).toHaveLength(3);
    stage.clock.advance(1);
    await isQueued(4);
    expect([await batch(2), await batch(3)]).toEqual([
      [ada.userId, [2]],
      [bob.userId, [2]],
    ]);
  });

  test('publishes a status of an application at once, whatever the pace of messages', async () => {
    start();
    await write(ada);
    await isQueued(1);
    await write(ada);
    const about = candidate(position + 1, ada, { kind: 'application-status' });
    await stage.outbox.write({ from: position, to: position + 1, candidates: [about] });
    await isQueued(2);
    await looks();
    expect([await batch(1), queued.length]).toEqual([[ada.userId, [3]], 2]);
  });

  test('follows the current preferences, also for postponed notifications', async () => {
    start();
    await write(ada);
    await isQueued(1);
    await write(ada);
    await looks();
    preferences.set(ada.userId, { digestMinutes: 0 });
    await stage.outbox.reconsider([ada.userId]);
    await isQueued(2);
    expect(await batch(1)).toEqual([ada.userId, [2]]);
  });

  test('publishes nothing in quiet hours, and everything afterwards', async () => {
    // It is noon in UTC, so 13:00 in Berlin.
    preferences.set(ada.userId, {
      quietHours: { start: '12:30', end: '13:14', timeZone: 'Europe/Berlin' },
      digestMinutes: 0,
    });
    start();
    await write(ada);
    await write(ada, bob);
    await isQueued(1);
    stage.clock.advance(14 * MINUTE - 1);
    await write(ada);
    await looks();
    expect([queued.length, await batch(0)]).toEqual([1, [bob.userId, [2]]]);
    stage.clock.advance(1);
    await isQueued(2);
    expect(await batch(1)).toEqual([ada.userId, [1, 2, 3]]);
  });

  test('polls at once when it is woken', async () => {
    const due = jest.spyOn(stage.outbox, 'due');
    const relay = start({ everyMs: 60_000 });
    await until(() => due.mock.calls.length === 2);
    await write(ada);
    relay.wake();
    await isQueued(1);
  });

  test('keeps and reports what the queue refuses, and publishes it later', async () => {
    publish.mockRejectedValue(new QueueUnavailable('the broker is away'));
    const relay = start();
    await write(ada);
    await until(() => relay.failure() !== undefined);
    expect(relay.failure()?.message).toBe('the broker is away');
    // A later message waits as well.
    await write(bob);
    publish.mockImplementation(async (batchId) => void queued.push(batchId));
    stage.clock.advance(10_000);
    await isQueued(2);
    await until(() => relay.failure() === undefined);
    expect([await batch(0), await batch(1)]).toEqual([
      [ada.userId, [1]],
      [bob.userId, [2]],
    ]);
    expect(JSON.stringify(relay.lines())).not.toContain('example.org');
  });

  test('that dies between publishing and marking leaves a batch that is published again under its id', async () => {
    const published = jest.fn<RelayOptions['outbox']['published']>(() => Promise.reject(new Error('killed')));
    const first = start({ outbox: { ...stage.outbox, published } });
    await write(ada);
    await until(() => first.failure()?.message === 'killed');
    await first.stop();
    expect(queued).toHaveLength(1);
    start();
    stage.clock.advance(10_000);
    await isQueued(2);
    expect(new Set(queued).size).toBe(1);
    await until(async () => (await unmarked()) === 0);
    stage.clock.advance(10_000);
    await looks();
    expect(queued).toHaveLength(2);
  });

  test('marks a batch as published only once the queue has confirmed it', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    publish.mockImplementation(() => promise);
    start();
    await write(ada);
    await until(() => publish.mock.calls.length === 1);
    expect(await unmarked()).toBe(1);
    resolve();
    await until(async () => (await unmarked()) === 0);
  });

  test('pauses after batches of large audiences, and publishes others meanwhile', async () => {
    const crowd = [1, 2, 3, 4, 5, 6].map((n) => ({ ...ada, userId: UserId.parse(uuid(0x90_0000 + n)) }));
    await stage.register(...crowd);
    await write(...crowd);
    await stage.owner.query('update notification_pace set is_slow = true');
    start({ rest: () => 3_600_000 });
    await isQueued(4);
    await write(bob);
    await isQueued(5);
    await looks();
    expect([await batch(4), queued.length]).toEqual([[bob.userId, [2]], 5]);
  });

  test('has at most 100 unconfirmed messages', async () => {
    let most = 0;
    let now = 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    publish.mockImplementation(async (batchId) => {
      most = Math.max(most, (now += 1));
      await promise;
      now -= 1;
      queued.push(batchId);
    });
    await stage.owner.query(
      `insert into notification_batches (batch_id, recipient_id, channel, gathered_at, publish_at)
       select gen_random_uuid(), gen_random_uuid(), 'email', $1, $1 from generate_series(1, 250)`,
      [stage.clock.now()],
    );
    start();
    await until(() => now === 100);
    resolve();
    await isQueued(250);
    expect([most, new Set(queued).size]).toEqual([100, 250]);
  });

  test('postpones a recipient whose preferences cannot be read, without delaying others', async () => {
    let isUnreadable = true;
    const relay = start({
      preferencesOf: async (userId) => {
        if (userId === ada.userId && isUnreadable) throw new Error('unreadable');
        return standardPreferences;
      },
    });
    await write(ada);
    await write(bob);
    await isQueued(1);
    expect([await batch(0), relay.failure()]).toEqual([[bob.userId, [2]], undefined]);
    isUnreadable = false;
    stage.clock.advance(MINUTE);
    await isQueued(2);
    expect(await batch(1)).toEqual([ada.userId, [1]]);
  });

  test('may run in several processes: each notification is in one batch, and each batch is published once', async () => {
    preferences.set(ada.userId, { digestMinutes: 0 }).set(bob.userId, { digestMinutes: 0 });
    for (let n = 0; n < 3; n += 1) start();
    for (let n = 0; n < 60; n += 1) await write(ada, bob);
    await until(async () => {
      const { rowCount } = await stage.owner.query('select from notifications where batch_id is null');
      return rowCount === 0 && (await unmarked()) === 0;
    });
    await looks();
    const { rows } = await stage.owner.query<{ batches: number; told: number }>(
      'select count(distinct batch_id) as batches, count(*) as told from notifications',
    );
    expect(rows).toEqual([{ batches: new Set(queued).size, told: 120 }]);
    expect(queued).toHaveLength(new Set(queued).size);
  });
});
