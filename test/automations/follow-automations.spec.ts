import { jest } from '@jest/globals';
import { removeMember } from '../../src/commands/chat-group/remove-member.ts';
import type { AutomationRefused } from '../../src/commands/rejection.ts';
import { type EventStore, EventStoreUnavailable } from '../../src/events/event-store.ts';
import { UNKNOWN } from '../../src/events/stored-events.ts';
import { type Checkpoint, followAutomations } from '../../src/automations/follow-automations.ts';
import { type RunAutomations, automationRunner } from '../../src/automations/run-automations.ts';
import { causes } from '../../src/automations/automations.ts';
import { commands } from '../support/language/command-stage.ts';
import {
  acme,
  ada,
  adaApplied,
  helloSent,
  jobClosed,
  group,
  groupId,
  jobPosted,
  registered,
  uuid,
} from '../support/language/example-events.ts';
import { happened, wholeLog } from '../support/language/history.ts';
import { createInMemoryEventStore } from '../support/language/in-memory-event-store.ts';
import { linesOf } from '../support/log-lines.ts';
import { until } from '../../tools/until.ts';

const checkpointAt = (start: number) => {
  let position = start;
  return {
    load: jest.fn<Checkpoint['load']>(async () => position),
    save: jest.fn<Checkpoint['save']>(async (to) => void (position = to)),
    saved: () => position,
  };
};
const typesIn = async (store: EventStore) => (await wholeLog(store)).map(({ type }) => type);

/** Starts a process that follows the log, with its own handler and cache. */
async function process(
  store: EventStore,
  checkpoint: Checkpoint,
  around = (automate: RunAutomations) => automate,
) {
  const refused: { automation: string; code: string }[] = [];
  const { log, lines } = linesOf('warn');
  const { handle } = await commands({ store });
  const automate = around(automationRunner({ handle, log }));
  const onRefused = ({ automation, code }: AutomationRefused) => void refused.push({ automation, code });
  const follower = followAutomations({ store, automate, types: causes, checkpoint, log, onRefused });
  return { ...follower, lines, handle, refused };
}

describe('following the log', () => {
  test('completes once, at the next start, what a crash prevented', async () => {
    const store = createInMemoryEventStore();
    await happened(store, registered(acme), registered(ada), jobPosted, adaApplied);
    const checkpoint = checkpointAt(2);
    const first = await process(store, checkpoint);
    await until(() => first.position() === 6);
    await first.stop();
    expect((await typesIn(store)).slice(4)).toStrictEqual(['ChatGroupCreated', 'MemberJoined']);

    checkpoint.load.mockResolvedValueOnce(0);
    const second = await process(store, checkpoint);
    await until(() => second.position() === 6);
    await second.stop();
    expect(await store.head()).toBe(6);
  });

  test('runs each automation once in two processes on one log', async () => {
    const store = createInMemoryEventStore();
    const both = await Promise.all([process(store, checkpointAt(0)), process(store, checkpointAt(0))]);
    await happened(store, registered(acme), registered(ada), jobPosted, adaApplied);
    await until(() => both.every((each) => each.position() === 6));
    await Promise.all(both.map((each) => each.stop()));
    expect((await typesIn(store)).slice(4)).toStrictEqual(['ChatGroupCreated', 'MemberJoined']);
  });

  test('from the beginning leaves members out who were removed since', async () => {
    const store = createInMemoryEventStore();
    await happened(store, registered(acme), registered(ada), jobPosted, adaApplied);
    const first = await process(store, checkpointAt(0));
    await until(() => first.position() === 6);
    await first.handle(
      removeMember,
      { groupId, userId: ada.userId },
      { actor: acme, correlationId: uuid(0xc0) },
    );
    await first.stop();
    const second = await process(store, checkpointAt(0));
    await until(() => second.position() === 7);
    await second.stop();
    expect((await typesIn(store)).slice(4)).toStrictEqual([
      'ChatGroupCreated',
      'MemberJoined',
      'MemberRemoved',
    ]);
  });

  test('retries an event whose automation fails, and neither skips nor reorders events', async () => {
    const store = createInMemoryEventStore();
    await happened(store, registered(acme), registered(ada), jobPosted, adaApplied);
    let failuresLeft = 3;
    const seen: number[] = [];
    const checkpoint = checkpointAt(0);
    const follower = await process(store, checkpoint, (automate) => async (events) => {
      seen.push(events[0]!.position);
      if (events[0]!.position === 4 && failuresLeft-- > 0) throw new EventStoreUnavailable('down');
      return automate(events);
    });
    await until(() => follower.failure() !== undefined);
    expect(follower.position()).toBe(3);
    await until(() => follower.position() === 6);
    expect(follower.failure()).toBeUndefined();
    expect(seen).toStrictEqual([3, 4, 4, 4, 4]);
    expect(follower.lines()).toHaveLength(3);
    await follower.stop();
  });

  test('reports a refusal and continues with the next event', async () => {
    const store = createInMemoryEventStore();
    await happened(store, registered(acme), jobPosted, adaApplied, jobClosed);
    const follower = await process(store, checkpointAt(0));
    await until(() => follower.position() >= 4);
    await follower.stop();
    expect((await typesIn(store)).slice(4)).toStrictEqual(['ChatGroupCreated', 'GroupClosed']);
    const refusal = { automation: 'when-application-submitted-add-member', code: 'USER_NOT_FOUND' };
    expect(follower.refused).toStrictEqual([refusal]);
    expect(follower.lines()).toMatchObject([{ level: 50, ...refusal }]);
    expect(follower.failure()).toBeUndefined();
  });

  test('waits before an event of newer code, without failing the rest of the process', async () => {
    const store = createInMemoryEventStore();
    await happened(store, registered(acme), jobPosted);
    let isOld = true;
    const subscribe: EventStore['subscribe'] = async function* (options) {
      for await (const batch of store.subscribe(options))
        yield batch.map((each) =>
          isOld && each.type === 'JobPosted'
            ? ({ ...each, type: UNKNOWN, data: { type: each.type, v: 2, data: each.data } } as never)
            : each,
        );
    };
    const checkpoint = checkpointAt(0);
    const follower = await process({ ...store, subscribe }, checkpoint);
    await until(() => follower.lines().length > 1);
    expect(follower.failure()).toBeUndefined();
    expect(checkpoint.saved()).toBeLessThan(2);
    expect(JSON.stringify(follower.lines())).toContain('newer code wrote JobPosted v2 at position 2');
    isOld = false;
    await until(async () => (await typesIn(store)).includes('ChatGroupCreated'));
    await follower.stop();
  });

  test('retries while the log is unreachable, and recovers without a new event', async () => {
    const store = createInMemoryEventStore();
    let isDown = true;
    const subscribe: EventStore['subscribe'] = (options) => {
      if (isDown) throw new EventStoreUnavailable('down');
      return store.subscribe(options);
    };
    const follower = await process({ ...store, subscribe }, checkpointAt(0));
    await until(() => follower.failure() !== undefined);
    isDown = false;
    await until(() => follower.failure() === undefined);
    await follower.stop();
  });

  test('saves the checkpoint after work and at the stop', async () => {
    const store = createInMemoryEventStore();
    const checkpoint = checkpointAt(0);
    const follower = await process(store, checkpoint);
    await happened(store, registered(acme), jobPosted);
    await until(() => checkpoint.saved() >= 2);
    await happened(store, ...group.slice(1), helloSent);
    await until(async () => follower.position() === (await store.head()));
    await follower.stop();
    expect(checkpoint.saved()).toBe(await store.head());
  });

  test('moves the checkpoint with a busy conversation, without saving it for every message', async () => {
    const store = createInMemoryEventStore();
    const checkpoint = checkpointAt(0);
    const follower = await process(store, checkpoint);
    for (let n = 0; n < 500; n += 1) await happened(store, helloSent);
    await until(() => follower.position() === 500);
    await until(() => checkpoint.saved() === 500);
    expect(checkpoint.save.mock.calls.length).toBeLessThan(50);
    await follower.stop();
  });

  test('does not start elsewhere when the checkpoint cannot be read', async () => {
    const store = createInMemoryEventStore();
    await happened(store, registered(acme), jobPosted);
    const checkpoint = checkpointAt(2);
    checkpoint.load.mockRejectedValueOnce(new Error('connection refused'));
    const follower = await process(store, checkpoint);
    await until(() => follower.failure() !== undefined);
    expect(follower.position()).toBe(0);
    await until(() => follower.position() === 2);
    await follower.stop();
    expect(await store.head()).toBe(2);
  });

  test('handles nothing after a stop', async () => {
    const store = createInMemoryEventStore();
    const follower = await process(store, checkpointAt(0));
    await follower.stop();
    await happened(store, registered(acme), jobPosted);
    expect(await typesIn(store)).toStrictEqual(['AccountRegistered', 'JobPosted']);
  });
});
