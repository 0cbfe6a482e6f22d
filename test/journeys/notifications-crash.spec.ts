import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import pg from 'pg';
import { confirmAddress } from '../support/journeys/account-letters.ts';
import { type TestDatabase, createTestDatabase } from '../support/stages/database.ts';
import { type MailServer, startMailServer } from '../support/servers/mail-server.ts';
import { type Rabbitmq, startRabbitmq } from '../../tools/rabbitmq.ts';
import { type Session, call, signUp } from '../../tools/rest.ts';
import { type ServerProcess, freePort, startServer } from '../../tools/server-process.ts';
import { expectToldOnce, lettersTelling } from '../support/journeys/told.ts';
import { until } from '../../tools/until.ts';

/** Notifications from before a start wait 30 s for clients to reconnect, see docs/notifications.md. */
const TOLD_WITHIN_MS = 60_000;
/** Kills at arbitrary moments. */
const KILLS = 4;

/**
 * The server or the broker dies at the worst moments. After each, every absent member is notified of every
 * message, and a repeated letter is the same letter.
 */
describe('every absent member is notified exactly once when', () => {
  const address = `ada-${randomUUID()}@example.org`;
  const otherAddress = `bob-${randomUUID()}@example.org`;
  let rabbitmq: Rabbitmq;
  let database: TestDatabase;
  let owner: pg.Client;
  let mail: MailServer;
  let server: ServerProcess;
  let start: () => Promise<ServerProcess>;
  let acme: Session;
  let groupId: string;

  const say = async (text: string) => {
    const body = { clientMsgId: randomUUID(), text };
    const options = { token: acme.accessToken, body };
    // The same clientMsgId makes retries the same message.
    await until(
      () =>
        call(server.url, 'POST', `/v1/groups/${groupId}/messages`, options).then(
          () => true,
          () => false,
        ),
      `${text} to be accepted`,
      30_000,
    );
  };
  const toldOf = (text: string) =>
    until(
      () => [address, otherAddress].every((to) => lettersTelling(mail.mails, to, text).size > 0),
      `both to be notified of “${text}”\n${server.output().slice(-3_000)}`,
      TOLD_WITHIN_MS,
    );
  const copiesOf = (text: string) =>
    mail.mails.filter(({ mail: letter }) => letter.text?.includes(text)).length;
  async function crash(): Promise<void> {
    await server.killProcess();
    server = await start();
  }

  beforeAll(async () => {
    [rabbitmq, database, mail] = await Promise.all([
      startRabbitmq(),
      createTestDatabase(),
      startMailServer(),
    ]);
    owner = new pg.Client({ connectionString: database.ownerUrl });
    await owner.connect();
    const port = await freePort();
    start = () =>
      startServer({
        port,
        dataDir: server?.dataDir,
        env: {
          DATABASE_URL: database.ownerUrl,
          AMQP_URL: rabbitmq.url,
          SMTP_URL: mail.url,
          ACCESS_TOKEN_SECONDS: '3600',
          MESSAGES_PER_MINUTE: '1000000',
          LOGINS_PER_MINUTE: '1000',
        },
      });
    server = await start();
    const { url } = server;
    const acmeAddress = `acme-${randomUUID()}@example.org`;
    acme = await signUp(url, { role: 'company', displayName: 'Acme', email: acmeAddress });
    await confirmAddress(mail, acmeAddress);
    const ask = <T>({ accessToken: token }: Session, method: string, path: string, body?: unknown) =>
      call<T>(url, method, path, { token, body });
    const job = await ask<{ jobId: string; groupId: string }>(acme, 'POST', '/v1/jobs', {
      title: 'Engineer',
      description: 'Builds engines',
    });
    ({ groupId } = job);
    for (const email of [address, otherAddress]) {
      const person = await signUp(url, { role: 'applicant', displayName: 'Ada', email });
      await confirmAddress(mail, email);
      await ask(person, 'PUT', '/v1/me/notification-preferences', { digestMinutes: 0 });
      await ask(person, 'POST', `/v1/jobs/${job.jobId}/applications`, {});
    }
  }, 120_000);

  afterAll(async () => {
    await server?.killTree();
    if (server) await rm(server.dataDir, { recursive: true, force: true });
    await owner?.end();
    await mail?.close();
    await rabbitmq?.stop();
    await database?.drop();
  });

  test('the process dies between publishing a batch and marking it as published', async () => {
    await owner.query(`
      create function fall_asleep() returns trigger language plpgsql as $$ begin perform pg_sleep(600); return new; end $$;
      create trigger published before update of publish_at on notification_batches
        for each row when (new.publish_at > old.publish_at) execute function fall_asleep()`);
    await say('published, not marked');
    await until(async () => {
      const { rows } = await owner.query(
        `select from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()`,
      );
      return rows.length > 0;
    }, 'the mark to hang');
    await server.killProcess();
    await owner.query(`
      select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()`);
    await owner.query('drop trigger published on notification_batches; drop function fall_asleep');
    server = await start();
    await toldOf('published, not marked');
    expectToldOnce(mail.mails, [address, otherAddress], ['published, not marked']);
  }, 120_000);

  test("the process dies between the mail server's acceptance of a letter and its settlement in the queue", async () => {
    mail.stall();
    await say('taken, not settled');
    await until(() => copiesOf('taken, not settled') >= 2, 'both letters to be accepted', TOLD_WITHIN_MS);
    await server.killProcess();
    mail.works();
    const before = copiesOf('taken, not settled');
    server = await start();
    await until(() => copiesOf('taken, not settled') >= before + 2, 'both to be sent again', TOLD_WITHIN_MS);
    expectToldOnce(mail.mails, [address, otherAddress], ['taken, not settled']);
  }, 120_000);

  test('the broker is killed, stays down for a while, and is restarted', async () => {
    await say('before the broker died');
    await rabbitmq.kill();
    await say('while the broker was dead');
    await until(async () => {
      const { dependencies } = await call<{ dependencies: Record<string, { status: string }> }>(
        server.url,
        'GET',
        '/health/ready',
      );
      return dependencies['queue']?.status === 'degraded';
    }, 'readiness to report it');
    await rabbitmq.restart();
    await say('after the broker came back');
    const texts = ['before the broker died', 'while the broker was dead', 'after the broker came back'];
    for (const text of texts) await toldOf(text);
    expectToldOnce(mail.mails, [address, otherAddress], texts);
  }, 180_000);

  test('the process is killed repeatedly while messages arrive', async () => {
    const texts: string[] = [];
    for (let kill = 0; kill < KILLS; kill += 1) {
      for (let n = 0; n < 5; n += 1) {
        texts.push(`kill ${kill}, message ${n}.`);
        await say(texts.at(-1)!);
      }
      await crash();
    }
    for (const text of texts) await toldOf(text);
    expectToldOnce(mail.mails, [address, otherAddress], texts);
  }, 180_000);

  test('all of this is over, with nothing left waiting or parked', async () => {
    await until(async () => {
      const { rows } = await owner.query<{ left: string }>(
        `select count(*) as left from notifications where outcome is null or outcome <> 'sent'`,
      );
      return Number(rows[0]!.left) === 0;
    }, 'every notification to be settled');
  });
});
