import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import webPush from 'web-push';
import { confirmAddress, lettersTo } from '../support/journeys/account-letters.ts';
import { certificate } from '../support/servers/certificate.ts';
import { Listener } from '../../tools/listener.ts';
import { type TestDatabase, createTestDatabase } from '../support/stages/database.ts';
import { type MailServer, startMailServer } from '../support/servers/mail-server.ts';
import { type PushService, startPushService } from '../support/servers/push-service.ts';
import { startRabbitmq } from '../../tools/rabbitmq.ts';
import { type Session, call, signUp } from '../../tools/rest.ts';
import { type ServerProcess, startServer } from '../../tools/server-process.ts';
import { expectToldOnce, lettersTelling } from '../support/journeys/told.ts';
import { until } from '../../tools/until.ts';

interface Broker {
  env: Record<string, string>;
  stop: () => Promise<void>;
}

const brokers: Record<string, () => Promise<Broker>> = {
  PostgreSQL: async () => ({ env: {}, stop: async () => {} }),
  RabbitMQ: async () => {
    const rabbitmq = await startRabbitmq();
    return { env: { AMQP_URL: rabbitmq.url }, stop: () => rabbitmq.stop() };
  },
};

/**
 * One ordered story over each queue, with a real mail server and a push service that decrypts what it
 * receives.
 */
describe.each(Object.entries(brokers))('notifications through %s', (_name, startBroker) => {
  const vapid = webPush.generateVAPIDKeys();
  const addresses = { acme: '', ada: '', bob: '' };
  let broker: Broker;
  let database: TestDatabase;
  let mail: MailServer;
  let push: PushService;
  let server: ServerProcess;
  let folder: string;
  let acme: Session;
  let ada: Session;
  let bob: Session;
  let job: { jobId: string; groupId: string };
  let application: string;

  const as = <T>({ accessToken: token }: Session, method: string, path: string, body?: unknown) =>
    call<T>(server.url, method, path, { token, body });
  const say = (session: Session, text: string) =>
    as<{ position: string }>(session, 'POST', `/v1/groups/${job.groupId}/messages`, {
      clientMsgId: randomUUID(),
      text,
    });
  const join_ = async (role: 'company' | 'applicant', name: 'acme' | 'ada' | 'bob') => {
    addresses[name] = `${name}-${randomUUID()}@example.org`;
    const session = await signUp(server.url, { role, displayName: name, email: addresses[name] });
    await confirmAddress(mail, addresses[name]);
    return session;
  };
  /** Whether other members see a user online. */
  const isSeen = async ({ userId }: Session) => {
    const path = `/v1/groups/${job.groupId}/members`;
    const { data } = await as<{ data: { userId: string; online: boolean }[] }>(bob, 'GET', path);
    return data.find((member) => member.userId === userId)!.online;
  };
  const isTold = (name: keyof typeof addresses, text: string) =>
    until(
      () => lettersTelling(mail.mails, addresses[name], text).size > 0,
      `${name} to be notified of “${text}”\n${server.output().slice(-3_000)}`,
      20_000,
    );

  beforeAll(async () => {
    [broker, database, mail] = await Promise.all([startBroker(), createTestDatabase(), startMailServer()]);
    push = await startPushService({ vapidPublicKey: vapid.publicKey });
    folder = await mkdtemp(join(tmpdir(), 'chat-notifications-'));
    await writeFile(join(folder, 'certificate.pem'), certificate);
    server = await startServer({
      env: {
        ...broker.env,
        DATABASE_URL: database.ownerUrl,
        SMTP_URL: mail.url,
        MAIL_FROM: 'Jobs <jobs@example.org>',
        VAPID_PUBLIC_KEY: vapid.publicKey,
        VAPID_PRIVATE_KEY: vapid.privateKey,
        VAPID_SUBJECT: 'mailto:ops@example.org',
        PUSH_PRIVATE_HOSTS: '127.0.0.1',
        NODE_EXTRA_CA_CERTS: join(folder, 'certificate.pem'),
        LOGINS_PER_MINUTE: '1000',
      },
    });
    [acme, ada, bob] = await Promise.all([
      join_('company', 'acme'),
      join_('applicant', 'ada'),
      join_('applicant', 'bob'),
    ]);
    job = await as(acme, 'POST', '/v1/jobs', { title: 'Robot whisperer', description: 'Talk to cranes' });
  }, 90_000);

  afterAll(async () => {
    await server?.stop();
    await push?.close();
    await mail?.close();
    await broker?.stop();
    await database?.drop();
    if (server) await rm(server.dataDir, { recursive: true, force: true });
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  test('reach a company about an application as a letter that has one-click unsubscribe', async () => {
    ({ applicationId: application } = await as<{ applicationId: string }>(
      ada,
      'POST',
      `/v1/jobs/${job.jobId}/applications`,
      {},
    ));
    await isTold('acme', 'Robot whisperer');
    const letter = lettersTo(mail, addresses.acme).at(-1);
    expect(letter!.raw).toMatch(/^List-Unsubscribe-Post: List-Unsubscribe=One-Click\r$/m);
    expect(letter!.mail.from!.text).toContain('jobs@example.org');
    expect(letter!.mail.html).toContain('Robot whisperer');
  });

  test('reach an absent member by mail and push at once, and about further messages later', async () => {
    const subscription = push.subscribe();
    await as(ada, 'POST', '/v1/me/push-subscriptions', { ...subscription, expirationTime: null });
    expect(await as(ada, 'GET', '/v1/push-key')).toEqual({ publicKey: vapid.publicKey });
    await as(bob, 'POST', `/v1/jobs/${job.jobId}/applications`, {});
    await as(bob, 'PUT', '/v1/me/notification-preferences', { digestMinutes: 0 });
    await say(acme, 'Welcome aboard');
    await Promise.all([isTold('ada', 'Welcome aboard'), isTold('bob', 'Welcome aboard')]);
    await until(() => push.pushes.length === 1, 'the push to arrive');
    expect(push.pushes[0]).toMatchObject({
      endpoint: subscription.endpoint,
      sender: 'mailto:ops@example.org',
      payload: { groupId: job.groupId, tag: expect.any(String) },
    });
    await say(acme, 'One more thing');
    await isTold('bob', 'One more thing');
    expect(lettersTelling(mail.mails, addresses.ada, 'One more thing').size).toBe(0);
    expect(push.pushes).toHaveLength(1);
    expect(lettersTelling(mail.mails, addresses.acme, 'Welcome aboard').size).toBe(0);
  });

  test('do not reach members who are online or have muted the group', async () => {
    await as(ada, 'PUT', '/v1/me/notification-preferences', { digestMinutes: 0, muted: [job.groupId] });
    await as(acme, 'PUT', '/v1/me/notification-preferences', { digestMinutes: 0 });
    const client = await new Listener(acme).connect();
    try {
      await until(() => client.rooms.has(job.groupId), 'Acme to be online');
      await say(ada, 'Is anybody there?');
      await isTold('bob', 'Is anybody there?');
      expect(lettersTelling(mail.mails, addresses.acme, 'Is anybody there?').size).toBe(0);
      await say(bob, 'I am');
      await client.reached(job.groupId, 4);
    } finally {
      client.close();
    }
    // Once Acme is offline, messages notify it at once.
    await until(async () => !(await isSeen(acme)), 'Acme to be offline');
    await say(bob, 'Come back');
    await isTold('acme', 'Come back');
  });

  test('reach an applicant about the status of an application, even in a muted group', async () => {
    await as(acme, 'PATCH', `/v1/applications/${application}`, { status: 'interview' });
    await isTold('ada', 'Robot whisperer');
    expect(lettersTelling(mail.mails, addresses.ada, 'I am').size).toBe(0);
  });

  test('by mail end with one click, while others continue', async () => {
    const letter = lettersTo(mail, addresses.ada).at(-1)!;
    const header = /^List-Unsubscribe: <([^>]+)>/m.exec(letter.raw.replaceAll(/\r\n[ \t]+/g, ''))![1]!;
    expect((await fetch(`${header}&utm_source=mail`)).status).toBe(200);
    expect(await as(ada, 'GET', '/v1/me/notification-preferences')).toMatchObject({ email: true });
    const answer = await fetch(`${header}&utm_source=mail`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'List-Unsubscribe=One-Click',
    });
    expect(answer.status).toBe(200);
    expect(await as(ada, 'GET', '/v1/me/notification-preferences')).toMatchObject({
      email: false,
      push: true,
      muted: [job.groupId],
    });
    const before = mail.mails.filter(({ to }) => to.includes(addresses.ada)).length;
    await as(acme, 'PATCH', `/v1/applications/${application}`, { status: 'offer' });
    await until(() => push.pushes.some(({ payload }) => /offer/i.test(payload.title + payload.body)));
    expect(mail.mails.filter(({ to }) => to.includes(addresses.ada))).toHaveLength(before);
  });

  test('reach no recipient twice', () => {
    expectToldOnce(mail.mails, [addresses.bob], ['Welcome aboard', 'One more thing', 'Is anybody there?']);
    expectToldOnce(mail.mails, [addresses.ada], ['Welcome aboard']);
  });
});
