import { jest } from '@jest/globals';
import { AggregateLoader } from '../../src/commands/aggregate-cache.ts';
import type { Outbox } from '../../src/notifications/outbox.ts';
import { said } from '../support/language/conversation.ts';
import {
  acme,
  ada,
  adaApplied,
  adaIs,
  bob,
  eve,
  group,
  groupId,
  jobPosted,
  joined,
  left,
} from '../support/language/example-events.ts';
import { type NotifierStage, WINDOW_MS, openNotifierStage } from '../support/stages/notifier-stage.ts';
import { until } from '../../tools/until.ts';

let stage: NotifierStage;
beforeEach(async () => {
  stage = await openNotifierStage();
  await stage.register(acme, ada, bob, eve);
  await stage.happened(...group);
});
afterEach(() => stage.close());

/** After four registrations and three events of the group, the first message is the eighth event. */
const FIRST = 8;
const mailTo = ({ userId }: typeof ada, position = FIRST) => [position, userId, 'email'];
const isWritten = (count: number) =>
  until(async () => (await stage.rows()).length === count, `${count} rows`);
/** Started, and past what happened before. */
const following = async (options = {}) => {
  const notifier = stage.start(options);
  await stage.handled();
  await stage.decided();
  return notifier;
};

test('a changed preference counts for what was put off before', async () => {
  await following();
  await stage.happened(said(1, ada));
  await isWritten(2);
  const [waiting] = (await stage.outbox.due({ isSlow: false, limit: 9 })).filter(
    ({ recipientId }) => recipientId === bob.userId,
  );
  await stage.outbox.postpone(waiting!, stage.clock.in(3_600_000));
  await stage.happened(stage.prefers(bob, { digestMinutes: 0 }));
  await until(
    async () => (await stage.outbox.due({ isSlow: false, limit: 9 })).length === 2,
    'Bob’s to be due again',
  );
});

describe('a message', () => {
  test('is told at once to members who are offline; those who receive it in time are not told', async () => {
    stage.whereabouts.comes(ada, bob);
    await following();
    await stage.happened(said(1, bob));
    await isWritten(1);
    expect(await stage.told()).toEqual([mailTo(acme)]);
    stage.clock.advance(WINDOW_MS - 1);
    stage.whereabouts.receives(ada);
    await stage.windowPasses();
    expect(await stage.told()).toEqual([mailTo(acme)]);
  });

  test('is told after 30 s to members who are online and did not receive it', async () => {
    stage.whereabouts.comes(acme, ada, bob);
    stage.whereabouts.receives(acme, ada, bob);
    stage.clock.advance(1);
    await following();
    await stage.happened(said(1, bob));
    await stage.handled();
    stage.whereabouts.receives(acme);
    stage.clock.advance(WINDOW_MS - 1);
    await stage.happened(joined(eve));
    await stage.handled();
    expect([await stage.told(), await stage.outbox.checkpoint()]).toEqual([[], FIRST - 1]);
    stage.clock.advance(1);
    await stage.decided();
    expect(await stage.told()).toEqual([mailTo(ada)]);
  });

  test('is not told to whoever joined after it, but to whoever left: the worker sees to that', async () => {
    stage.whereabouts.comes(acme, ada, bob, eve);
    await following();
    await stage.happened(said(1, bob));
    await stage.handled();
    await stage.happened(joined(eve), left(ada));
    await stage.windowPasses();
    expect(await stage.told()).toEqual([mailTo(acme), mailTo(ada)]);
  });

  test('is told by the preferences as they were before it, however far behind these are', async () => {
    await following();
    const reached = jest.spyOn(stage.progress, 'reached');
    await stage.projections.stop();
    await stage.happened(stage.prefers(acme, { muted: [groupId] }), said(1, bob));
    await until(() => reached.mock.calls.length > 3);
    expect(await stage.told()).toEqual([]);
    await stage.owner.query(`update accounts.accounts set muted = $1 where user_id = $2`, [
      [groupId],
      acme.userId,
    ]);
    reached.mockResolvedValue(true);
    await stage.decided();
    expect(await stage.told()).toEqual([mailTo(ada, FIRST + 1)]);
    reached.mockRestore();
  });

  test.each([
    ['checked against a newer state', 3],
    ['checked against an older one', 1],
  ])('is told to whoever joined before it, its sender %s', async (_, reliedOn) => {
    const loader = new AggregateLoader(stage.store, new Map());
    // What a load that began before the change leaves behind when it ends after it.
    jest.spyOn(loader, 'absorb').mockReturnValue();
    stage.whereabouts.comes(acme, ada, bob);
    await following({ loader });
    await stage.happened(said(1, bob));
    await stage.windowPasses();
    await stage.happened(joined(eve));
    const { data, ...message } = said(2, bob);
    await stage.store.append({
      stream: `conversation-${groupId}`,
      events: [{ id: '00000000-0000-4000-8000-00000000abcd', event: { ...message, data } }],
      expected: 'any',
      occurredAt: stage.clock.now().toISOString(),
      metadata: {
        actorId: null,
        correlationId: '',
        causationId: null,
        reliedOn: { [`chatGroup-${groupId}`]: reliedOn },
      },
    });
    await isWritten(3);
    expect((await stage.told()).at(-1)).toEqual(mailTo(eve, FIRST + 2));
  });

  test('to a group of people who are all there costs no write of its own', async () => {
    stage.whereabouts.comes(acme, ada, bob);
    const write = jest.fn<Outbox['write']>((step) => stage.outbox.write(step));
    await following({ outbox: { ...stage.outbox, write }, everyMs: 50 });
    write.mockClear();
    for (let n = 1; n <= 300; n += 1) await stage.happened(said(n, bob));
    await stage.handled();
    stage.whereabouts.receives(acme, ada);
    await stage.windowPasses();
    expect(await stage.told()).toEqual([]);
    expect(write.mock.calls.length).toBeLessThan(20);
    expect(write.mock.calls.flatMap(([{ candidates }]) => candidates)).toEqual([]);
  });
});

describe('an application', () => {
  test('is told to the company and its status to the applicant, online and muted as they may be', async () => {
    stage.whereabouts.comes(acme, ada);
    await stage.happened(jobPosted, stage.prefers(acme, { muted: [groupId] }));
    const onWritten = jest.fn();
    await following({ onWritten });
    await stage.happened(adaApplied, adaIs('offer'));
    await stage.decided();
    expect(await stage.told()).toEqual([mailTo(acme, 10), mailTo(ada, 11)]);
    expect(onWritten).toHaveBeenCalled();
  });
});

describe('a notifier', () => {
  test('that starts for the first time tells nothing of the past', async () => {
    await stage.happened(said(1, bob));
    const notifier = await following();
    await stage.happened(said(2, bob));
    await stage.decided();
    expect(await stage.told()).toEqual([mailTo(acme, FIRST + 1), mailTo(ada, FIRST + 1)]);
    expect(notifier.position()).toBe(FIRST + 1);
  });

  test('that starts again gives clients the whole window to come back', async () => {
    await (await following()).stop();
    await stage.happened(said(1, bob));
    stage.clock.advance(3_600_000);
    const second = stage.start();
    await stage.handled();
    expect(second.position()).toBe(FIRST - 1);
    await stage.happened(said(2, bob));
    // Only the message after the start is told at once.
    await isWritten(2);
    expect(await stage.told()).toEqual([mailTo(acme, FIRST + 1), mailTo(ada, FIRST + 1)]);
    stage.whereabouts.comes(ada);
    stage.whereabouts.receives(ada);
    await stage.windowPasses();
    expect(await stage.told()).toEqual([mailTo(acme), mailTo(acme, FIRST + 1), mailTo(ada, FIRST + 1)]);
  });

  test('that stops before a message is decided leaves it to the next', async () => {
    stage.whereabouts.comes(ada, bob);
    const first = await following();
    await stage.happened(said(1, bob));
    await isWritten(1);
    await first.stop();
    expect(await stage.outbox.checkpoint()).toBe(FIRST - 1);
    stage.start();
    await stage.windowPasses();
    expect(await stage.told()).toEqual([mailTo(acme), mailTo(ada)]);
  });

  test('that was overtaken starts again from the table, and nothing is told twice', async () => {
    await following();
    await following();
    for (let n = 1; n <= 20; n += 1) await stage.happened(said(n, bob));
    await stage.windowsPass();
    expect(await stage.told()).toHaveLength(40);
  });

  test('that cannot write says so, waits and loses nothing', async () => {
    const write = jest.fn<Outbox['write']>((step) => stage.outbox.write(step));
    const notifier = await following({ outbox: { ...stage.outbox, write } });
    write.mockRejectedValueOnce(new Error('terminating connection'));
    await stage.happened(said(1, bob));
    await until(() => notifier.failure()?.message === 'terminating connection');
    await until(() => notifier.failure() === undefined);
    await stage.windowsPass();
    expect(await stage.told()).toEqual([mailTo(acme), mailTo(ada)]);
    expect(notifier.lines()).toHaveLength(1);
  });

  test('that wrote and never heard of it repeats nothing', async () => {
    const write = jest.fn<Outbox['write']>((step) => stage.outbox.write(step));
    await following({ outbox: { ...stage.outbox, write } });
    write.mockImplementationOnce(async (step) => {
      await stage.outbox.write(step);
      throw new Error('connection lost after the commit');
    });
    await stage.happened(said(1, bob), said(2, ada));
    await stage.windowsPass();
    expect(await stage.told()).toHaveLength(4);
  });

  test('with more undecided messages than it may keep decides the oldest early', async () => {
    stage.whereabouts.comes(acme, ada, bob);
    await following({ mostUndecided: 3 });
    await stage.happened(...[1, 2, 3, 4, 5].map((n) => said(n, bob)));
    await stage.standsAt(FIRST + 1);
    expect(await stage.told()).toEqual([
      mailTo(acme),
      mailTo(ada),
      mailTo(acme, FIRST + 1),
      mailTo(ada, FIRST + 1),
    ]);
  });
});

describe('while nobody can tell who is there', () => {
  test('calls no user offline, and waits at its position', async () => {
    stage.whereabouts.comes(ada, bob, acme);
    const notifier = await following();
    stage.whereabouts.outOfReach(true);
    await stage.happened(said(1, ada));
    await until(() => notifier.failure() !== undefined, 'the notifier to wait');
    stage.clock.advance(2 * WINDOW_MS);
    expect(await stage.told()).toEqual([]);
    stage.whereabouts.receives(ada, bob, acme);
    stage.whereabouts.outOfReach(false);
    await stage.windowPasses();
    expect(await stage.told()).toEqual([]);
    await until(() => notifier.failure() === undefined, 'the notifier to be well');
    expect(notifier.lines()).toHaveLength(1);
  });

  test('decides afterwards what became due meanwhile, each once', async () => {
    stage.whereabouts.comes(ada, bob, acme);
    const notifier = await following();
    await stage.happened(said(1, ada));
    await stage.handled();
    stage.whereabouts.outOfReach(true);
    stage.clock.advance(WINDOW_MS);
    await until(() => notifier.failure() !== undefined, 'the notifier to wait');
    stage.whereabouts.receives(bob);
    stage.whereabouts.outOfReach(false);
    await stage.decided();
    expect(await stage.told()).toEqual([mailTo(acme)]);
  });
});
