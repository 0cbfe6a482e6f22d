import { jest } from '@jest/globals';
import { standardPreferences } from '../../src/commands/account/account.ts';
import { BACK_OFF_MS, type WorkerDeps } from '../../src/notifications/deliver/worker.ts';
import { backOffMs } from '../../src/kit/back-off.ts';
import { NotCaughtUp } from '../../src/projections/projection.ts';
import { ada, uuid } from '../support/language/example-events.ts';
import { applicationNews, messageNews, notification } from '../support/language/known-facts.ts';
import { type WorkerStage, openWorkerStage } from '../support/stages/worker-stage.ts';

let stage: WorkerStage;
beforeEach(async () => {
  stage = await openWorkerStage();
});
afterEach(() => stage.close());

const handle = (batchId: string) => stage.workerWith().handle(batchId);
const later = (ms: number) => new Date(stage.clock.now.getTime() + ms);
const three = [1, 2, 3].map((n) => notification(n));

test('A recipient has one batch in work at a time: the next one waits a second, which is no attempt', async () => {
  const [sending, sent] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const send = jest.fn<WorkerDeps['mailer']['send']>(async () => {
    sending.resolve();
    await sent.promise;
  });
  const worker = stage.workerWith({ mailer: { send } });
  const first = await stage.batch('email', [notification(1)]);
  const next = await stage.batch('email', [notification(2)], { isOneMore: true });
  const handling = worker.handle(first);
  await sending.promise;
  await worker.handle(next);
  expect(send).toHaveBeenCalledTimes(1);
  expect(await stage.state(next)).toMatchObject({ attempts: 0, publishAt: later(1_000) });
  sent.resolve();
  await handling;
  await worker.handle(next);
  expect(send).toHaveBeenCalledTimes(2);
  expect(await stage.outcomes()).toEqual(['sent', 'sent']);
});

describe('a batch of mail', () => {
  test('is sent as one letter under a stable Message-ID', async () => {
    const batchId = await stage.batch('email', three);
    await handle(batchId);
    expect(stage.mail.mails).toHaveLength(1);
    const [{ mail, to }] = stage.mail.mails as [(typeof stage.mail.mails)[0]];
    expect(to).toEqual(['ada@example.org']);
    expect(mail).toMatchObject({
      messageId: `<${batchId}@jobs.example.org>`,
      subject: '3 new messages in Engineer',
      to: { value: [{ name: 'Ada Lovelace' }] },
    });
    for (const n of [1, 2, 3]) expect(mail.text).toContain(`> message ${n}\n`);
    expect(mail.text).toContain(`https://jobs.example.org/v1/unsubscribe?token=${ada.userId}`);
    expect(await stage.outcomes()).toEqual(['sent', 'sent', 'sent']);
    expect(stage.counted).toEqual({ 'email sent': 3 });
  });

  test('contains only what is still current', async () => {
    stage.known.messages = [
      messageNews(1, { isRead: true }),
      messageNews(2),
      messageNews(3, { isDeleted: true }),
    ];
    await handle(await stage.batch('email', three));
    expect(stage.mail.mails[0]!.mail.subject).toBe('Acme wrote in Engineer');
    expect(stage.mail.mails[0]!.mail.text).not.toMatch(/message [13]/);
    expect(await stage.outcomes()).toEqual(['read', 'sent', 'deleted']);
  });

  test('is not sent when nothing in it is current', async () => {
    stage.known.preferences = { ...standardPreferences, email: false };
    await handle(await stage.batch('email', three));
    expect(stage.mail.mails).toEqual([]);
    expect(await stage.outcomes()).toEqual(['channel-off', 'channel-off', 'channel-off']);
  });

  test('is not sent to a recipient without an address', async () => {
    stage.known.address = undefined;
    await handle(await stage.batch('email'));
    expect(await stage.outcomes()).toEqual(['no-address']);
  });

  test('of several kinds has the subject of the most important one', async () => {
    stage.known.applications = [applicationNews(8, { reason: 'We liked it' })];
    const status = notification(8, { kind: 'application-status', subjectId: uuid(0x30) });
    await handle(await stage.batch('email', [notification(1), status]));
    const { subject, text } = stage.mail.mails[0]!.mail;
    expect(subject).toBe('Your application for Engineer');
    expect(text).toMatch(/would like to interview you[\s\S]*> We liked it[\s\S]*> message 1/);
  });

  test('drops a batch that the database does not know, with a line in the log', async () => {
    const batchId = uuid(0xdead);
    await handle(batchId);
    expect(stage.mail.mails).toEqual([]);
    expect(stage.written()).toContain(batchId);
  });

  test('is not sent again once settled', async () => {
    const batchId = await stage.batch('email');
    await handle(batchId);
    await handle(batchId);
    await handle(uuid(0xdead));
    expect(stage.mail.mails).toHaveLength(1);
  });

  test('is sent once when handed out twice concurrently', async () => {
    const batchId = await stage.batch('email');
    const worker = stage.workerWith();
    await Promise.all([worker.handle(batchId), worker.handle(batchId)]);
    expect(stage.mail.mails).toHaveLength(1);
  });

  test('waits for the end of quiet hours', async () => {
    const quietHours = { start: '11:30', end: '15:00', timeZone: 'Europe/Berlin' };
    stage.known.preferences = { ...standardPreferences, quietHours };
    const batchId = await stage.batch('email');
    await handle(batchId);
    expect(stage.mail.mails).toEqual([]);
    const { publishAt, parkReason } = await stage.state(batchId);
    expect([publishAt, parkReason]).toEqual([new Date('2026-03-01T14:00:00Z'), null]);
    stage.clock.now = publishAt;
    await handle(batchId);
    expect(await stage.outcomes()).toEqual(['sent']);
  });
});

describe('a refused letter', () => {
  test('is postponed for longer after each temporary refusal', async () => {
    stage.mail.refuse('recipient', 450);
    const batchId = await stage.batch('email');
    for (const [attempts, seconds] of [30, 60, 120].entries()) {
      await handle(batchId);
      expect(await stage.state(batchId)).toMatchObject({
        attempts: attempts + 1,
        publishAt: later(seconds * 1_000),
        lastError: 'the mail server answered 450 5.1.1',
      });
    }
    expect([8, 12].map((failures) => backOffMs(BACK_OFF_MS, failures))).toEqual([3_600_000, 3_600_000]);
    stage.mail.works();
    await handle(batchId);
    expect(await stage.outcomes()).toEqual(['sent']);
  });

  test('is parked after thirteen attempts', async () => {
    stage.mail.refuse('connect', 421, 'busy');
    const batchId = await stage.batch('email');
    await stage.failed(batchId, 11);
    await handle(batchId);
    expect(await stage.state(batchId)).toMatchObject({ attempts: 12, parkReason: null });
    await handle(batchId);
    expect(await stage.state(batchId)).toMatchObject({ parkReason: 'the mail server answered 421' });
  });

  test('is parked after a permanent refusal, without a trace of address or text in logs', async () => {
    stage.mail.refuse('recipient', 550);
    const batchId = await stage.batch('email');
    await handle(batchId);
    expect(await stage.outbox.parked()).toMatchObject([
      { batchId, reason: 'the mail server answered 550 5.1.1', notifications: 1 },
    ]);
    expect(await stage.outcomes()).toEqual([null]);
    expect(stage.written()).toContain(batchId);
    expect(stage.written()).not.toMatch(/ada@|message 1|Lovelace/);
    stage.mail.works();
    await stage.outbox.replay([batchId]);
    await handle(batchId);
    expect(await stage.outcomes()).toEqual(['sent']);
  });

  test('is postponed for a second at first when the read models lag', async () => {
    const batchId = await stage.batch('email');
    const behind = () => Promise.reject(new NotCaughtUp('conversations did not reach 7 in 2000 ms'));
    const facts = { recipient: behind } as never;
    await stage.workerWith({ facts }).handle(batchId);
    expect(await stage.state(batchId)).toMatchObject({ attempts: 1, publishAt: later(1_000) });
    await stage.workerWith({ facts }).handle(batchId);
    expect(await stage.state(batchId)).toMatchObject({ attempts: 2, publishAt: later(60_000) });
  });

  test('is left to the queue after an internal error, and parked when the queue gives up', async () => {
    const batchId = await stage.batch('email');
    const unsubscribeUrl = () => {
      throw new TypeError('a fault');
    };
    const worker = stage.workerWith({ unsubscribeUrl });
    await expect(worker.handle(batchId)).rejects.toThrow('a fault');
    expect(await stage.outcomes()).toEqual([null]);
    await worker.onDead(batchId, 'delivered 5 times');
    expect(await stage.outbox.parked()).toMatchObject([{ batchId, reason: 'delivered 5 times' }]);
    await worker.onDead(batchId, 'again');
    expect(await stage.outbox.parked()).toMatchObject([{ batchId, reason: 'delivered 5 times' }]);
  });
});

describe('between sending and settling', () => {
  const broken = () => Promise.reject(new Error('the database is away'));

  test('repeats the letter under the same Message-ID after a crash', async () => {
    const batchId = await stage.batch('email');
    const dying = stage.workerWith({ outbox: stage.outboxWith({ settle: broken }), patienceMs: 0 });
    await expect(dying.handle(batchId)).rejects.toThrow('the database is away');
    await handle(batchId);
    const name = `<${batchId}@jobs.example.org>`;
    expect(stage.mail.mails.map(({ mail }) => mail.messageId)).toEqual([name, name]);
    expect(await stage.outcomes()).toEqual(['sent']);
  });

  test('waits for the database to return', async () => {
    const batchId = await stage.batch('email');
    let failures = 3;
    const settle: typeof stage.outbox.settle = (...settled) => {
      failures -= 1;
      return failures >= 0 ? broken() : stage.outbox.settle(...settled);
    };
    await stage.workerWith({ outbox: stage.outboxWith({ settle }) }).handle(batchId);
    expect(stage.mail.mails).toHaveLength(1);
    expect(await stage.outcomes()).toEqual(['sent']);
  });

  test('repeats the same letter when the connection is cut after the final dot', async () => {
    const batchId = await stage.batch('email');
    stage.mail.dropAfterData();
    await handle(batchId);
    stage.mail.works();
    await handle(batchId);
    expect(new Set(stage.mail.mails.map(({ mail }) => mail.messageId)).size).toBe(1);
    expect(await stage.outcomes()).toEqual(['sent']);
  });
});

describe('a batch of push', () => {
  const subscribe = async () => {
    const subscription = stage.push.subscribe();
    await stage.subscriptions.add(ada.userId, subscription);
    return subscription;
  };

  test('goes to every browser of the recipient, with the batch as its tag', async () => {
    const endpoints = [(await subscribe()).endpoint, (await subscribe()).endpoint];
    const batchId = await stage.batch('push', three);
    await handle(batchId);
    expect(stage.push.pushes.map(({ endpoint }) => endpoint).toSorted()).toEqual(endpoints.toSorted());
    for (const { payload } of stage.push.pushes)
      expect(payload).toMatchObject({
        tag: batchId,
        title: '3 new messages in Engineer',
        body: 'Acme: message 3',
      });
    expect(await stage.outcomes()).toEqual(['sent', 'sent', 'sent']);
    expect(stage.counted).toEqual({ 'push sent': 3 });
  });

  test('removes an expired subscription, and has no address without another', async () => {
    await subscribe();
    stage.push.answer(410);
    await handle(await stage.batch('push'));
    expect(await stage.subscriptions.ofUser(ada.userId)).toEqual([]);
    expect(await stage.outcomes()).toEqual(['no-address']);
    expect(stage.mail.mails).toEqual([]);
  });

  test('counts as sent once one browser has accepted it', async () => {
    await subscribe();
    await stage.subscriptions.add(ada.userId, { ...(await subscribe()), endpoint: 'https://127.0.0.1:1/' });
    await handle(await stage.batch('push'));
    expect(await stage.outcomes()).toEqual(['sent']);
  });

  test('is postponed while no browser can be reached, and parked after a permanent refusal', async () => {
    await subscribe();
    const batchId = await stage.batch('push');
    stage.push.answer(503);
    await handle(batchId);
    expect(await stage.state(batchId)).toMatchObject({
      attempts: 1,
      publishAt: later(30_000),
      lastError: 'the push service answered 503',
    });
    stage.push.answer(403);
    await handle(batchId);
    expect(await stage.state(batchId)).toMatchObject({ parkReason: 'the push service answered 403' });
    expect(stage.written()).not.toContain('/push/');
  });
});
