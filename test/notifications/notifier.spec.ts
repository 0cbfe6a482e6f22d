import { jest } from '@jest/globals';
import { AggregateLoader } from '../../src/commands/aggregate-cache.ts';
import type { Actor } from '../../src/commands/command.ts';
import type { Outbox } from '../../src/notifications/outbox.ts';
import { messageNumber, said } from '../support/language/conversation.ts';
import {
  acme,
  ada,
  adaApplied,
  adaIs,
  bob,
  event,
  eve,
  group,
  groupId,
  invitationId,
  jobPosted,
  joined,
  left,
  thread,
  threadId,
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
const ids = (people: Actor[]) => people.map(({ userId }) => userId);
const mailTo = ({ userId }: typeof ada, position = FIRST) => [position, userId, 'email'];
const isWritten = (count: number) =>
  until(async () => (await stage.rows()).length === count, `${count} rows`);
/** Starts a notifier and waits until it has passed the existing history. */
const following = async (options = {}) => {
  const notifier = stage.start(options);
  await stage.handled();
  await stage.decided();
  return notifier;
};

test('A changed preference applies to postponed notifications', async () => {
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
    'Bob’s notification to be due again',
  );
});

describe('a message', () => {
  test('notifies offline members at once, and skips members who receive it in time', async () => {
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

  test('notifies online members who did not receive it after 30 s', async () => {
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

  test('does not notify later members, but members who left since: the worker skips those', async () => {
    stage.whereabouts.comes(acme, ada, bob, eve);
    await following();
    await stage.happened(said(1, bob));
    await stage.handled();
    await stage.happened(joined(eve), left(ada));
    await stage.windowPasses();
    expect(await stage.told()).toEqual([mailTo(acme), mailTo(ada)]);
  });

  test('uses the preferences as of its position, however far the read model lags', async () => {
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
  ])('notifies members who joined before it, with its sender %s', async (_, reliedOn) => {
    const loader = new AggregateLoader(stage.store, new Map());
    // Simulates a load that begins before the change and ends after it.
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

  test('causes no write when all members of the group receive it', async () => {
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

describe('a message in a thread', () => {
  const { userId: companyId } = acme;
  const { userId } = eve;
  const isOwner = { companyId, userId, invitationId, role: 'owner', jobIds: null } as const;
  const asked = (n: number) => said(n, ada, 'When can I start?', threadId);

  test('notifies the people who see to it when it is sent', async () => {
    await stage.happened(jobPosted, ...thread);
    await following();
    const steps = [
      [asked(1)],
      [event('TeammateJoined', isOwner), asked(2), asked(3)],
      [stage.prefers(eve, { team: 'assigned' }), asked(4)],
      [event('ThreadAssigned', { groupId: threadId, assigneeId: userId }), asked(5)],
      [event('TeammateRemoved', { companyId, userId }), asked(6)],
    ];
    for (const events of steps) {
      await stage.happened(...events);
      await stage.handled();
    }
    await stage.decided();
    const rows = await stage.rows();
    const toldOf = (n: number) =>
      rows.flatMap((row) => (row.subjectId === messageNumber(n) ? [row.recipientId] : []));
    expect([1, 2, 3, 4, 5, 6].map((n) => new Set(toldOf(n)))).toEqual(
      [[acme], [acme, eve], [acme, eve], [acme], [eve], [acme]].map((told) => new Set(ids(told))),
    );
  });

  test('reads no state for the next message, until one changes', async () => {
    const loader = new AggregateLoader(stage.store, new Map());
    await stage.happened(jobPosted, ...thread);
    await following({ loader });
    await stage.happened(asked(1));
    await isWritten(1);
    const load = jest.spyOn(loader, 'load');
    await stage.happened(asked(2), asked(3));
    await isWritten(3);
    expect(load).not.toHaveBeenCalled();
    await stage.happened(event('TeammateJoined', isOwner), asked(4));
    await isWritten(5);
    expect(load).toHaveBeenCalled();
  });
});

describe('an application', () => {
  test('notifies the company, and its status the applicant, even if online or muted', async () => {
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
  test('ignores the past on its first start', async () => {
    await stage.happened(said(1, bob));
    const notifier = await following();
    await stage.happened(said(2, bob));
    await stage.decided();
    expect(await stage.told()).toEqual([mailTo(acme, FIRST + 1), mailTo(ada, FIRST + 1)]);
    expect(notifier.position()).toBe(FIRST + 1);
  });

  test('gives clients the full window to reconnect after a restart', async () => {
    await (await following()).stop();
    await stage.happened(said(1, bob));
    stage.clock.advance(3_600_000);
    const second = stage.start();
    await stage.handled();
    expect(second.position()).toBe(FIRST - 1);
    await stage.happened(said(2, bob));
    // Only the message after the start causes notifications at once.
    await isWritten(2);
    expect(await stage.told()).toEqual([mailTo(acme, FIRST + 1), mailTo(ada, FIRST + 1)]);
    stage.whereabouts.comes(ada);
    stage.whereabouts.receives(ada);
    await stage.windowPasses();
    expect(await stage.told()).toEqual([mailTo(acme), mailTo(acme, FIRST + 1), mailTo(ada, FIRST + 1)]);
  });

  test('leaves an undecided message to its successor when it stops', async () => {
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

  test('restarts from the table when overtaken, and notifies no member twice', async () => {
    await following();
    await following();
    for (let n = 1; n <= 20; n += 1) await stage.happened(said(n, bob));
    await stage.windowsPass();
    expect(await stage.told()).toHaveLength(40);
  });

  test('reports a failing write, retries and loses nothing', async () => {
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

  test('repeats nothing when a write succeeded but its answer was lost', async () => {
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

  test('decides the oldest messages early when it holds too many', async () => {
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

describe('a notifier without presence data', () => {
  test('considers no user offline, and waits at its position', async () => {
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
    await until(() => notifier.failure() === undefined, 'the notifier to recover');
    expect(notifier.lines()).toHaveLength(1);
  });

  test('later decides what became due meanwhile, each message once', async () => {
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
