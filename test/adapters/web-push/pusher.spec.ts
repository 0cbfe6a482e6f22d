import { setImmediate as turn } from 'node:timers/promises';
import webPush from 'web-push';
import { createLogPusher } from '../../../src/adapters/log-only/pusher.ts';
import { createWebPushPusher } from '../../../src/adapters/web-push/pusher.ts';
import { certificate } from '../../support/servers/certificate.ts';
import { linesOf } from '../../support/log-lines.ts';
import { type PushService, startPushService } from '../../support/servers/push-service.ts';
import { until } from '../../../tools/until.ts';

const vapid = { ...webPush.generateVAPIDKeys(), subject: 'mailto:ops@example.org' };
const payload = { tag: 'batch-1', title: 'Ada wrote', body: 'Grüße 🚂', groupId: 'group-1' };
const log = linesOf('trace');

let service: PushService;
beforeEach(async () => {
  service = await startPushService({ vapidPublicKey: vapid.publicKey });
});
afterEach(() => service.close());

type Settings = Partial<Parameters<typeof createWebPushPusher>[0]>;
const pusherWith = (settings: Settings = {}) =>
  createWebPushPusher({ vapid, privateHosts: ['127.0.0.1'], log: log.log, ca: certificate, ...settings });

/** A name server that always gives the same answer, and counts the queries. */
function nameServer(...answers: string[]) {
  const asked: string[] = [];
  const resolve: NonNullable<Settings['resolve']> = (host, _options, callback) => {
    asked.push(host);
    const addresses = answers.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    process.nextTick(callback, null, addresses);
  };
  return { asked, resolve };
}

describe('a push', () => {
  test('can be decrypted by the browser alone, and is signed for its push service', async () => {
    const subscription = service.subscribe();
    await pusherWith().push(subscription, payload);
    expect(service.pushes).toEqual([
      {
        endpoint: subscription.endpoint,
        payload,
        ttl: 86_400,
        urgency: 'normal',
        topic: expect.stringMatching(/^[\w-]{1,32}$/) as string,
        sender: vapid.subject,
      },
    ]);
  });

  test('has a stable topic, different from that of the next', async () => {
    const subscription = service.subscribe();
    const pusher = pusherWith();
    for (const tag of ['batch-1', 'batch-1', 'batch-2']) await pusher.push(subscription, { ...payload, tag });
    const [first, again, next] = service.pushes.map(({ topic }) => topic);
    expect(again).toBe(first);
    expect(next).not.toBe(first);
  });

  test('is refused with the key of another sender', async () => {
    const stranger = pusherWith({ vapid: { ...vapid, ...webPush.generateVAPIDKeys() } });
    await expect(stranger.push(service.subscribe(), payload)).rejects.toMatchObject({ isFinal: true });
    expect(service.pushes).toEqual([]);
  });

  test('is signed with an earlier key where the browser subscribed with that one', async () => {
    const { subject, ...earlier } = vapid;
    const pusher = pusherWith({
      vapid: {
        ...{ ...webPush.generateVAPIDKeys(), subject },
        previous: [webPush.generateVAPIDKeys(), earlier],
      },
    });
    await pusher.push(service.subscribe(), payload);
    expect(service.pushes.map(({ sender }) => sender)).toEqual([subject]);
    expect(pusher.publicKey).not.toBe(vapid.publicKey);
  });

  test('names the key for subscriptions', () => {
    expect(pusherWith().publicKey).toBe(vapid.publicKey);
    expect(createLogPusher({ log: log.log }).publicKey).toBeUndefined();
  });

  test('requires keys that can sign: others stop the start', () =>
    expect(() => pusherWith({ vapid: { ...vapid, privateKey: 'AAAA' } })).toThrow());
});

describe('a push service that refuses', () => {
  test.each([404, 410])('with %i has ended the subscription', async (status) => {
    service.answer(status);
    await expect(pusherWith().push(service.subscribe(), payload)).rejects.toMatchObject({
      name: 'SubscriptionGone',
    });
  });

  test.each([
    [429, false],
    [500, false],
    [503, false],
    [400, true],
    [403, true],
    [413, true],
  ])('with %i fails with isFinal %s', async (status, isFinal) => {
    service.answer(status);
    const message = `the push service answered ${status}`;
    await expect(pusherWith().push(service.subscribe(), payload)).rejects.toMatchObject({ isFinal, message });
  });

  test.each([201, 200, 202])('does not refuse with %i', async (status) => {
    service.answer(status);
    await pusherWith().push(service.subscribe(), payload);
  });

  test('by a redirect is not followed', async () => {
    const canary = await startPushService({ vapidPublicKey: vapid.publicKey });
    service.answer(307, { location: `https://127.0.0.1:${canary.port}/` });
    await expect(pusherWith().push(service.subscribe(), payload)).rejects.toMatchObject({ isFinal: true });
    expect(canary.requests()).toBe(0);
    await canary.close();
  });

  test('by never answering is abandoned after a limited time', async () => {
    service.hang();
    await expect(pusherWith({ pushWithinMs: 200 }).push(service.subscribe(), payload)).rejects.toMatchObject({
      name: 'NotDelivered',
      isFinal: false,
    });
  });

  test('by delaying several pushes gets no more for now, while others do', async () => {
    const other = await startPushService({ vapidPublicKey: vapid.publicKey });
    service.hang();
    const pusher = pusherWith({ privateHosts: ['127.0.0.1', 'localhost'], slowAfterMs: 50 });
    const pushed = (subscription = service.subscribe()) =>
      pusher.push(subscription, payload).then(
        () => 'taken',
        (error: unknown) => (error as Error).message,
      );
    const waiting = Array.from({ length: 3 }, () => pushed());
    await until(async () => (await Promise.race([pushed(), turn('waiting')])) === 'the push service is slow');
    await expect(pushed(other.subscribe('localhost'))).resolves.toBe('taken');
    await service.close();
    await Promise.all(waiting);
    // The pushes of the loop above wait as well.
    await until(async () => (await pushed(other.subscribe())) === 'taken');
    await other.close();
    service = await startPushService({ vapidPublicKey: vapid.publicKey });
  });

  test('by an endless answer is abandoned', async () => {
    service.babble();
    await pusherWith().push(service.subscribe(), payload);
  });

  test('by being down is a temporary failure', async () => {
    const subscription = service.subscribe();
    await service.close();
    await expect(pusherWith().push(subscription, payload)).rejects.toMatchObject({
      isFinal: false,
      message: 'the push service is out of reach: ECONNREFUSED',
    });
    service = await startPushService({ vapidPublicKey: vapid.publicKey });
  });

  test('by an untrusted certificate gets nothing', async () => {
    const { ca: _, ...usual } = { ca: certificate, vapid, privateHosts: ['127.0.0.1'], log: log.log };
    await expect(createWebPushPusher(usual).push(service.subscribe(), payload)).rejects.toMatchObject({
      name: 'NotDelivered',
    });
    expect(service.requests()).toBe(0);
  });
});

describe('an endpoint in our own network', () => {
  const subscribed = (host: string) => service.subscribe(host);

  test.each(['127.0.0.1', 'localhost', '[::1]', '2130706433', '0x7f.1', '[::ffff:127.0.0.1]'])(
    'is not contacted as %s',
    async (host) => {
      await expect(pusherWith({ privateHosts: [] }).push(subscribed(host), payload)).rejects.toMatchObject({
        name: 'NotDelivered',
        isFinal: true,
      });
      expect(service.requests()).toBe(0);
    },
  );

  test('is not contacted behind a public name', async () => {
    for (const address of ['127.0.0.1', '10.0.0.1', '169.254.169.254', '::1', '::ffff:127.0.0.1']) {
      const { resolve, asked } = nameServer(address);
      const pusher = pusherWith({ privateHosts: [], resolve });
      await expect(pusher.push(subscribed('push.example.com'), payload)).rejects.toThrow(/out of reach/);
      expect(asked).toEqual(['push.example.com']);
    }
    expect(service.requests()).toBe(0);
  });

  test('is not contacted without TLS', async () => {
    const { endpoint, keys } = service.subscribe();
    const plain = { endpoint: endpoint.replace('https:', 'http:'), keys };
    await expect(pusherWith().push(plain, payload)).rejects.toMatchObject({ isFinal: true });
  });

  test('is contacted when the operator allows its host, at the current address of the name', async () => {
    const { resolve, asked } = nameServer('127.0.0.1');
    const pusher = pusherWith({ privateHosts: ['push.example.com'], resolve });
    await pusher.push(subscribed('push.example.com'), payload);
    expect(service.pushes).toHaveLength(1);
    expect(asked).toHaveLength(1);
  });
});

test('A subscription with invalid keys counts as expired', async () => {
  const { endpoint } = service.subscribe();
  const keys = { p256dh: Buffer.alloc(65, 4).toString('base64url'), auth: 'AAAAAAAAAAAAAAAAAAAAAA' };
  await expect(pusherWith().push({ endpoint, keys }, payload)).rejects.toMatchObject({
    name: 'SubscriptionGone',
  });
});

test('Neither endpoints nor texts are logged', async () => {
  service.answer(500);
  const subscription = service.subscribe();
  await expect(pusherWith().push(subscription, payload)).rejects.toThrow();
  await createLogPusher({ log: log.log }).push(subscription, payload);
  const written = JSON.stringify(log.lines());
  expect(written).toContain(payload.tag);
  expect(written).not.toContain(payload.body);
  expect(written).not.toMatch(/https:|\/push\//);
});
