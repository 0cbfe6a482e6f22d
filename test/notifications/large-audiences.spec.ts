import { jest } from '@jest/globals';
import type { Actor } from '../../src/commands/command.ts';
import { UserId } from '../../src/events/ids.ts';
import type { FanOuts } from '../../src/notifications/decide/fan-outs.ts';
import type { Outbox } from '../../src/notifications/outbox.ts';
import { said } from '../support/language/conversation.ts';
import {
  acme,
  ada,
  bob,
  event,
  group,
  groupId,
  joined,
  left,
  otherGroupId,
  uuid,
} from '../support/language/example-events.ts';
import { type NotifierStage, openNotifierStage, WINDOW_MS } from '../support/stages/notifier-stage.ts';
import { until } from '../../tools/until.ts';

const CROWD = 60;
const person = (n: number): Actor => ({ userId: UserId.parse(uuid(0x90_0000 + n)), role: 'applicant' });
const crowd = Array.from({ length: CROWD }, (_, n) => person(n));
/** The crowd, the company, Ada and Bob, without the sender. */
const AUDIENCE = CROWD + 2;

let stage: NotifierStage;
beforeEach(async () => {
  stage = await openNotifierStage();
  await stage.register(acme, ada, bob, ...crowd);
  await stage.happened(...group, ...crowd.map((member) => joined(member)));
});
afterEach(() => stage.close());

const following = async (options: Parameters<NotifierStage['start']>[0] = {}) => {
  const notifier = stage.start({ ...options, lane: { sliceRows: 20, ...options.lane } });
  await stage.handled();
  await stage.decided();
  return notifier;
};
const otherGroup = (...members: Actor[]) => [
  event('ChatGroupCreated', { groupId: otherGroupId, jobId: null, name: 'Two', adminId: acme.userId }),
  ...members.map(({ userId }) =>
    event('MemberJoined', { groupId: otherGroupId, userId, role: 'member' as const }),
  ),
];
const saidElsewhere = said(99, bob, 'elsewhere', otherGroupId);
const messages = (count: number) => Array.from({ length: count }, (_, n) => said(n + 1, bob));
const isWritten = (count: number) =>
  until(async () => (await stage.rows()).length === count, `${count} rows`);

describe('a message with a large audience', () => {
  test('is written in slices, and notifies each member once', async () => {
    const sizes: number[] = [];
    const measured = <T extends Outbox | FanOuts>(port: T, name: keyof T): T => ({
      ...port,
      [name]: (...args: { candidates?: unknown[] }[]) => {
        sizes.push(args.at(-1)!.candidates!.length);
        return (port[name] as (...args: unknown[]) => unknown)(...args);
      },
    });
    await following({
      outbox: measured(stage.outbox, 'write'),
      lane: { fanOuts: measured(stage.fanOuts, 'advance') },
    });
    await stage.happened(...messages(40));
    await stage.decided();
    expect(await stage.rows()).toHaveLength(40 * AUDIENCE);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(20);
  });

  test('does not delay a message to another group, nor the checkpoint', async () => {
    const go = Promise.withResolvers<void>();
    const members: FanOuts['members'] = async (...args) => {
      await go.promise;
      return stage.fanOuts.members(...args);
    };
    await stage.happened(...otherGroup(bob));
    const notifier = await following({ lane: { fanOuts: { ...stage.fanOuts, members } } });
    await stage.happened(...messages(3), saidElsewhere);
    await isWritten(1);
    expect(await stage.rows()).toMatchObject([{ recipientId: acme.userId, groupId: otherGroupId }]);
    await until(async () => notifier.position() === (await stage.store.head()), 'the checkpoint at the head');
    // It is due before any row of the large audience, regardless of the order in which they were written.
    expect(await stage.outbox.due({ isSlow: false, limit: 9 })).toMatchObject([{ recipientId: acme.userId }]);
    go.resolve();
    await stage.decided();
    expect(await stage.outbox.due({ isSlow: false, limit: 9 })).toMatchObject([{ recipientId: acme.userId }]);
    expect(await stage.outbox.due({ isSlow: true, limit: 99 })).toHaveLength(AUDIENCE - 1);
  });

  test('notifies its audience even when the answer to the committed write is lost', async () => {
    let isLost = false;
    const write: Outbox['write'] = async (step) => {
      await stage.outbox.write(step);
      if (isLost || !step.fanOuts?.length) return;
      isLost = true;
      throw new Error('the connection was lost');
    };
    await following({ outbox: { ...stage.outbox, write } });
    await stage.happened(said(1, bob));
    await stage.decided();
    expect(isLost).toBe(true);
    expect(await stage.rows()).toHaveLength(AUDIENCE);
  });

  test('pauses after each slice according to its duration, while other messages proceed', async () => {
    const worked: number[] = [];
    const rest = (workedMs: number) => {
      worked.push(workedMs);
      return 3_600_000;
    };
    await stage.happened(...otherGroup(bob));
    await following({ lane: { rest } });
    await stage.happened(...messages(1));
    await until(() => worked.length === 1, 'the first slice');
    const written = (await stage.rows()).length;
    await stage.happened(saidElsewhere);
    await isWritten(written + 1);
    expect(written).toBeLessThan(AUDIENCE);
    expect(worked).toHaveLength(1);
    expect(worked[0]).toBeGreaterThan(0);
  });

  test('takes turns with those of other groups', async () => {
    const served: string[] = [];
    let isOpen = false;
    const next: FanOuts['next'] = async (turn) => (isOpen ? stage.fanOuts.next(turn) : undefined);
    const members: FanOuts['members'] = (fanOut, rows) => {
      served.push(fanOut.notice.groupId);
      return stage.fanOuts.members(fanOut, rows);
    };
    await stage.happened(...otherGroup(bob, ...crowd));
    const notifier = await following({ lane: { fanOuts: { ...stage.fanOuts, next, members } } });
    await stage.happened(...messages(5), saidElsewhere);
    await until(
      async () => notifier.position() === (await stage.store.head()),
      'all audiences to be recorded',
    );
    isOpen = true;
    await stage.decided();
    // Each message takes four slices: the message of the second group does not wait for all five of the
    // first.
    const lastElsewhere = served.lastIndexOf(otherGroupId);
    expect(served.slice(0, lastElsewhere).filter((id) => id === groupId).length).toBeLessThanOrEqual(5);
    expect(served.filter((id) => id === groupId).length).toBeGreaterThanOrEqual(20);
  });

  test('notifies after 30 s only the members who were online and did not receive it', async () => {
    stage.whereabouts.comes(acme, ada, ...crowd);
    await following({ few: 0 });
    await stage.happened(said(1, bob));
    await stage.handled();
    stage.clock.advance(1);
    stage.whereabouts.receives(ada, ...crowd.slice(1));
    await stage.windowPasses();
    expect((await stage.rows()).map(({ recipientId }) => recipientId)).toEqual(
      [acme.userId, crowd[0]!.userId].toSorted(),
    );
  });

  test('notifies offline members at once, and online members after 30 s', async () => {
    stage.whereabouts.comes(acme, ada);
    await following();
    await stage.happened(said(1, bob));
    await isWritten(CROWD);
    stage.clock.advance(1);
    stage.whereabouts.receives(ada);
    await stage.windowPasses();
    expect(await stage.rows()).toHaveLength(CROWD + 1);
  });

  test('notifies those who were members when it was sent', async () => {
    const late = person(CROWD);
    await stage.register(late);
    let isOpen = false;
    const next: FanOuts['next'] = async (turn) => (isOpen ? stage.fanOuts.next(turn) : undefined);
    const notifier = await following({ lane: { fanOuts: { ...stage.fanOuts, next } } });
    await stage.happened(said(1, bob));
    await until(
      async () => notifier.position() === (await stage.store.head()),
      'the audience to be recorded',
    );
    stage.clock.advance(1_000);
    await stage.happened(joined(late), left(crowd[0]!), joined(crowd[1]!, 'admin'));
    await stage.progress.reached(await stage.store.head(), 10_000);
    isOpen = true;
    await stage.decided();
    const told = (await stage.rows()).map(({ recipientId }) => recipientId);
    // The worker would skip members who have left.
    expect(told).toHaveLength(AUDIENCE - 1);
    expect(told).not.toContain(late.userId);
    expect(told).toContain(crowd[1]!.userId);
  });

  test('that was in progress at a restart gives clients the full window to reconnect', async () => {
    const members: FanOuts['members'] = async () => Promise.reject(new Error('the process is about to die'));
    const first = await following({ lane: { fanOuts: { ...stage.fanOuts, members } } });
    await stage.happened(said(1, bob));
    await until(() => first.laneFailure() !== undefined, 'the audience to be in progress');
    await first.stop();
    stage.clock.advance(3_600_000);
    stage.start();
    await stage.handled();
    stage.clock.advance(1);
    stage.whereabouts.comes(acme, ada, ...crowd);
    stage.whereabouts.receives(acme, ...crowd);
    await stage.windowPasses();
    expect((await stage.rows()).map(({ recipientId }) => recipientId)).toEqual([ada.userId]);
  });
});

describe('a failing slice', () => {
  test('is retried at half the size until it fits, and reported when it keeps failing', async () => {
    const sizes: number[] = [];
    const advance: FanOuts['advance'] = async (fanOut, step) => {
      sizes.push(step.candidates.length);
      if (step.candidates.length > 4) throw new Error('canceling statement due to statement timeout');
      await stage.fanOuts.advance(fanOut, step);
    };
    let told = '';
    const notifier = await following({ lane: { fanOuts: { ...stage.fanOuts, advance }, sliceRows: 64 } });
    await stage.happened(said(1, bob));
    await until(async () => {
      if (notifier.laneFailure()?.message.includes('in a row')) told = notifier.laneFailure()!.message;
      return (await stage.rows()).length === AUDIENCE;
    }, 'all notifications');
    await stage.decided();
    expect(sizes.slice(0, 4)).toEqual([AUDIENCE, 31, 15, 7]);
    expect(told).toMatch(/^the audience of event .* has failed [34] times in a row$/);
    await until(() => notifier.laneFailure() === undefined, 'the lane to recover');
  });

  test('of ordinary messages is retried at half the size, and its position is reported when the failure repeats', async () => {
    const sizes: number[] = [];
    const write = jest.fn<Outbox['write']>(async (step) => {
      sizes.push(step.candidates.length);
      if (step.candidates.length > 130) throw new Error('canceling statement due to statement timeout');
      await stage.outbox.write(step);
    });
    const notifier = await following({ outbox: { ...stage.outbox, write }, few: 100 });
    const reasons = new Set<string | undefined>();
    await stage.happened(...messages(20));
    await until(async () => {
      stage.clock.advance(WINDOW_MS);
      reasons.add(notifier.failure()?.message);
      return (await stage.rows()).length === 20 * AUDIENCE;
    }, 'all notifications');
    expect(sizes.filter((size) => size > 130)).toEqual([1_000, 500, 250]);
    const repeated = /^it has failed 3 times at position \d+: canceling statement due to statement timeout$/;
    expect([...reasons]).toContainEqual(expect.stringMatching(repeated));
    await until(() => notifier.failure() === undefined, 'the notifier to recover');
  });
});
