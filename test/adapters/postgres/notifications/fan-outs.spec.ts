import type { Actor } from '../../../../src/commands/command.ts';
import type { FanOutInWork } from '../../../../src/notifications/decide/fan-outs.ts';
import type { Waiting } from '../../../../src/notifications/outbox.ts';
import { acme, ada, bob, uuid } from '../../../support/language/example-events.ts';
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

const batchId = uuid(0xba1);
const otherBatchId = uuid(0xba2);
const byMail = { channel: 'email', topic: 'messages', gatheredAt: null } as const;
const adaByMail: Waiting = { recipientId: ada.userId, ...byMail };
const bobByMail: Waiting = { recipientId: bob.userId, ...byMail };
const anything = { isSlow: false, limit: 9 };
const ofLargeAudiences = { isSlow: true, limit: 9 };

const write = (n: number, person: Actor) =>
  stage.outbox.write({ from: n - 1, to: n, candidates: [candidate(n, person)] });
const begun = async (n: number): Promise<FanOutInWork> => {
  const fanOuts = [fanOutOf(n, acme, stage.clock)];
  await stage.outbox.write({ from: n - 1, to: n, candidates: [], fanOuts });
  return (await stage.fanOuts.next({ after: undefined, beyond: 0 }))!;
};
const tell = async (n: number, ...people: Actor[]) =>
  stage.fanOuts.advance(await begun(n), {
    to: undefined,
    candidates: people.map((person) => candidate(n, person)),
  });
const gatherFor = async (waiting: Waiting, id: string) => {
  const due = [...(await stage.outbox.due(anything)), ...(await stage.outbox.due(ofLargeAudiences))];
  await stage.outbox.gather(
    due.find(({ recipientId }) => recipientId === waiting.recipientId)!,
    id,
  );
};

describe('a lane', () => {
  const lanes = async () => (await stage.outbox.unpublished(9)).map(({ lane }) => lane);

  test('is that of the channel, or the slow one after a failure and for batches behind it', async () => {
    await write(1, ada);
    await gatherFor(adaByMail, batchId);
    expect(await lanes()).toEqual(['email']);
    await stage.outbox.retry(batchId, stage.clock.now(), 'greylisted');
    expect(await lanes()).toEqual(['email-slow']);
    await stage.outbox.published(batchId);
    stage.clock.advance(5_001);
    await write(2, ada);
    await gatherFor(adaByMail, otherBatchId);
    expect(await lanes()).toEqual(['email-slow']);
    await stage.outbox.settle(batchId, [{ eventId: candidate(1, ada).eventId, outcome: 'sent' }]);
    stage.clock.advance(10_000);
    expect(await lanes()).toEqual(['email']);
  });

  test('is slow for large audiences, except for recipients of any other notification', async () => {
    await tell(1, ada, bob);
    expect(await stage.outbox.due(anything)).toEqual([]);
    expect(await stage.outbox.due(ofLargeAudiences)).toEqual(expect.arrayContaining([adaByMail, bobByMail]));
    await stage.outbox.gather(bobByMail, otherBatchId);
    expect(await lanes()).toEqual(['email-slow']);
    await write(2, ada);
    expect(await stage.outbox.due(anything)).toEqual([adaByMail]);
    await tell(3, ada);
    await gatherFor(adaByMail, batchId);
    expect(await lanes()).toEqual(['email']);
    const batch = await stage.outbox.load(batchId);
    expect(batch?.notifications.map(({ position }) => position)).toEqual([1, 2, 3]);
  });
});

describe('a large audience', () => {
  test('advances together with its rows, by one lane only', async () => {
    const fanOut = await begun(1);
    const to = { through: ada.userId, isDeciding: false, hasUndecided: true };
    await stage.fanOuts.advance(fanOut, { to, candidates: [candidate(1, ada)] });
    const late = stage.fanOuts.advance(fanOut, { to: undefined, candidates: [candidate(1, bob)] });
    await expect(late).rejects.toThrow('another process');
    expect(await stage.rows()).toHaveLength(1);
    const turn = { after: undefined, beyond: 0 };
    expect(await stage.fanOuts.next(turn)).toEqual({ ...fanOut, ...to });
    expect(await stage.fanOuts.next({ ...turn, beyond: 1 })).toBeUndefined();
    expect(await stage.fanOuts.backlog()).toEqual({ count: 1, oldestSentAt: stage.clock.now() });
    await stage.fanOuts.advance({ ...fanOut, ...to }, { to: undefined, candidates: [] });
    expect([await stage.fanOuts.isEmpty(), await stage.fanOuts.next(turn)]).toEqual([true, undefined]);
  });
});
