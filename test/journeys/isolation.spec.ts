import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import webPush from 'web-push';
import { type ServerProcess, startServer } from '../../tools/server-process.ts';
import { until } from '../../tools/until.ts';
import { createCanaries } from '../support/journeys/canaries.ts';
import type { OpenApi } from '../support/journeys/described-calls.ts';
import { type Story, type World, createStory, forAll, modes } from '../support/journeys/isolation-story.ts';
import { createProbes, victimsOf } from '../support/journeys/probes.ts';
import { certificate } from '../support/servers/certificate.ts';
import { type MailServer, startMailServer } from '../support/servers/mail-server.ts';
import { type PushService, startPushService } from '../support/servers/push-service.ts';
import { type TestDatabase, createTestDatabase } from '../support/stages/database.ts';

const MOST_SHOWN = 40;
const firstOf = (lines: readonly string[]) =>
  lines.length <= MOST_SHOWN
    ? lines
    : [...lines.slice(0, MOST_SHOWN), `and ${lines.length - MOST_SHOWN} more`];

/** Operations that an applicant cannot call with what it has: they want the link of a letter. */
const ONLY_BY_LETTER = ['askToConfirmEmail', 'confirmEmail', 'askForNewPassword', 'resetPassword'];

/**
 * Sixty applications of thirty applicants for three jobs of two companies. Everything that they type has words that appear
 * nowhere else, and every byte that reaches them is searched for the words and ids of the others.
 */
describe.each(Object.entries(modes))('applicants with %s', (_name, mode) => {
  const vapid = webPush.generateVAPIDKeys();
  const canaries = createCanaries();
  let database: TestDatabase;
  let mail: MailServer;
  let push: PushService;
  let server: ServerProcess;
  let folder: string;
  let world: World;
  let probes: ReturnType<typeof createProbes>;
  let interruption: unknown;

  const isMeddler = (_: unknown, index: number) => index % mode.oneAsksIn === 0;

  async function tell(story: Story): Promise<void> {
    const { applicants, jobs } = world;
    await story.live(world);

    let isOver = false;
    const meanwhile = story.goOn(world, () => isOver);
    await forAll(applicants.filter(isMeddler), async (self, index) => {
      const victims = victimsOf(self, jobs);
      await probes.read(self, index, victims);
      await probes.trespass(self, index, victims);
      if (!self.isAway) await probes.emit(self, victims);
    }).finally(() => (isOver = true));
    await meanwhile;
    await story.writeToThoseAway(world);
    await story.closeJob(jobs[0]!);
    await forAll(applicants, async (self, index) => {
      if (self.isAway) await probes.emit(self, victimsOf(self, jobs));
      await story.look(self);
      await probes.change(self, index, victimsOf(self, jobs));
    });
    await until(() => {
      story.openMail(world);
      return canaries.missing().length === 0;
    }, 'everybody to see what is for them').catch(() => undefined);
  }

  beforeAll(async () => {
    [database, mail] = await Promise.all([createTestDatabase(), startMailServer()]);
    push = await startPushService({ vapidPublicKey: vapid.publicKey });
    folder = await mkdtemp(join(tmpdir(), 'chat-isolation-'));
    await writeFile(join(folder, 'certificate.pem'), certificate);
    server = await startServer({
      env: {
        DATABASE_URL: database.ownerUrl,
        SMTP_URL: mail.url,
        VAPID_PUBLIC_KEY: vapid.publicKey,
        VAPID_PRIVATE_KEY: vapid.privateKey,
        VAPID_SUBJECT: 'mailto:ops@example.org',
        PUSH_PRIVATE_HOSTS: '127.0.0.1',
        NODE_EXTRA_CA_CERTS: join(folder, 'certificate.pem'),
        HEADS_INTERVAL_MS: '500',
        LOGINS_PER_MINUTE: '100000',
        MESSAGES_PER_MINUTE: '100000',
        UPLOADS_PER_MINUTE: '100000',
        REQUESTS_PER_MINUTE: '100000000',
        ANONYMOUS_REQUESTS_PER_MINUTE: '100000000',
      },
    });
    const story = createStory({ url: server.url, mode, canaries, mail, push });
    const document = (await (await fetch(new URL('/openapi.json', server.url))).json()) as OpenApi;
    probes = createProbes(document, { canaries, story });
    world = await story.gather();
    // What a broken server has shown is of interest, also when the story cannot go on.
    await tell(story).catch((error: unknown) => (interruption = error));
    story.openMail(world);
  }, 240_000);

  afterAll(async () => {
    for (const { client } of world?.companies ?? []) client.close();
    for (const { watched } of world?.applicants ?? []) watched.close();
    await server?.stop();
    await push?.close();
    await mail?.close();
    await database?.drop();
    if (server) await rm(server.dataDir, { recursive: true, force: true });
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  test('see no word and no id of others that is not for them', () => {
    expect(firstOf(canaries.leaks())).toEqual([]);
  });

  test('cannot act on what is not theirs', () => {
    expect(firstOf(probes.trespasses)).toEqual([]);
  });

  test('are served to the end', () => {
    expect(interruption).toBeUndefined();
  });

  test('see everything that is for them', () => {
    expect(firstOf(canaries.missing())).toEqual([]);
  });

  test('are watched in every operation and every socket event', () => {
    const unasked = [...probes.statuses].filter(([, seen]) => [...seen].every((status) => status === 400));
    expect(unasked.map(([name]) => name)).toEqual(ONLY_BY_LETTER);
    const unanswered = [...probes.acks].filter(([, seen]) => !seen.has('ok'));
    expect(unanswered).toEqual([]);
  });

  test('are watched in every channel', () => {
    const own = /^(message|edited text|replaced text) of applicant/;
    const companies = /^(message|edited text|replaced text) of company/;
    const blind = world.applicants.filter(isMeddler).flatMap(({ name, isAway }) => {
      const sights: [channel: string, sight: RegExp][] = [
        ['a REST answer', own],
        ['a REST answer', companies],
        ['a socket ack', companies],
        ['a download', /^file content of applicant/],
        ...(isAway ? ['a letter', 'a push'] : ['a socket push']).map(
          (channel) => [channel, companies] as [string, RegExp],
        ),
      ];
      return sights
        .filter(([channel, sight]) => ![...canaries.seenIn(name, channel)].some((each) => sight.test(each)))
        .map(([channel, sight]) => `${name} has not seen ${sight} in ${channel}`);
    });
    expect(firstOf(blind)).toEqual([]);
  });
});
