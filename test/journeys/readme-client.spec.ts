import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { pino } from 'pino';
import type { DomainEvent } from '../../src/events/domain-event.ts';
import { ClientMsgId, GroupId, MessageId, UserId } from '../../src/events/ids.ts';
import { newId } from '../../src/kit/uuids.ts';
import { sealIn } from '../support/stages/seal.ts';
import { createPostgresEventStore } from '../../src/adapters/postgres/event-log/event-store.ts';
import { createPool } from '../../src/adapters/postgres/connection.ts';
import { Listener } from '../../tools/listener.ts';
import { startApp } from '../support/stages/app.ts';
import { valueOf } from '../support/journeys/health.ts';
import { createTestDatabase } from '../support/stages/database.ts';
import { happened } from '../support/language/history.ts';
import { type ReadmeClient, startReadmeClient } from '../support/journeys/readme-client.ts';
import { call, logIn, signUp } from '../../tools/rest.ts';
import { type ServerProcess, freePort, startServer } from '../../tools/server-process.ts';
import { startTcpProxy } from '../../tools/tcp-proxy.ts';
import { until } from '../../tools/until.ts';

/**
 * Longer than the lifetime of a token plus the timeout of a refresh. `BLACK_HOLE_SECONDS=45` makes it longer.
 */
const BLACK_HOLE_MS = Number(process.env['BLACK_HOLE_SECONDS'] ?? 14) * 1_000;
const TOKEN_SECONDS = '10';
const GROUPS = 10_000;
const SHOWN_WITHIN_MS = 120_000;

const person = (displayName: string) => ({
  displayName,
  email: `${displayName}-${randomUUID()}@example.test`.toLowerCase(),
  password: randomUUID(),
});

describe('the client in README.md', () => {
  test('shows every message through a restart, token expiry and a silent network', async () => {
    const port = await freePort();
    const env = {
      ACCESS_TOKEN_SECONDS: TOKEN_SECONDS,
      REQUESTS_PER_MINUTE: '1000000',
      MESSAGES_PER_MINUTE: '1000000',
    };
    let server = await startServer({ port, env });
    const proxy = await startTcpProxy({ to: port });
    let client: ReadmeClient | undefined;
    let talker: Listener | undefined;
    try {
      const [acme, ada] = [person('Acme'), person('Ada')];
      const session = await signUp(server.url, { role: 'company', ...acme });
      await signUp(server.url, { role: 'applicant', ...ada });
      const { groupId } = await call<{ groupId: string }>(server.url, 'POST', '/v1/jobs', {
        token: session.accessToken,
        body: { title: 'Engineer', description: 'Builds engines' },
      });
      client = await startReadmeClient({
        SERVER: `http://127.0.0.1:${proxy.port}`,
        EMAIL: acme.email,
        PASSWORD: acme.password,
      });
      talker = await new Listener(session).connect();

      let isOver = false;
      const sent: string[] = [];
      const talking = (async () => {
        for (; !isOver; await pause(50)) {
          const text = `message ${sent.length}.`;
          await talker.send({ groupId, text });
          sent.push(text);
        }
      })();
      const missing = () => sent.filter((text) => !client!.output().includes(`'${text}'`));
      const showsAll = async (what: string) => {
        const before = sent.length;
        await until(() => sent.length > before + 5, 'messages to be sent', SHOWN_WITHIN_MS);
        await until(() => missing().length <= 5, what, SHOWN_WITHIN_MS);
      };

      await showsAll('the first messages');
      await server.stop();
      server = await startServer({ port, env, dataDir: server.dataDir });
      await showsAll('the messages after the restart');
      proxy.blackHole();
      await pause(BLACK_HOLE_MS);
      proxy.heal();
      await showsAll('the messages during the silence');
      isOver = true;
      await talking;
      await until(() => missing().length === 0, 'every message', SHOWN_WITHIN_MS);
      const seqs = [...client.output().matchAll(/^(\d+) MessageSent/gm)].map(([, seq]) => Number(seq));
      expect(seqs).toEqual(sent.map((_, index) => index + 1));
      expect(client.isRunning()).toBe(true);
    } finally {
      talker?.close();
      await client?.stop();
      await proxy.close();
      await server.killTree();
      await rm(server.dataDir, { recursive: true, force: true });
    }
  }, 400_000);

  test('comes back with a new token after the key of its token was withdrawn', async () => {
    const app = await startApp();
    const acme = person('Acme');
    let client: ReadmeClient | undefined;
    try {
      const { accessToken } = await signUp(app.url, { role: 'company', ...acme });
      const { groupId } = await call<{ groupId: string }>(app.url, 'POST', '/v1/jobs', {
        token: accessToken,
        body: { title: 'Engineer', description: 'Builds engines' },
      });
      const say = async (text: string) => {
        const { accessToken: token } = await logIn(app.url, acme.email, acme.password);
        const body = { clientMsgId: randomUUID(), text };
        await call(app.url, 'POST', `/v1/groups/${groupId}/messages`, { token, body });
        await until(() => client!.output().includes(`'${text}'`), text);
      };
      client = await startReadmeClient({ SERVER: app.url, EMAIL: acme.email, PASSWORD: acme.password });
      await say('before.');
      const env = { PATH: process.env['PATH'], ...app.settings };
      await promisify(execFile)(process.execPath, ['scripts/admin.ts', 'rotate-key', '--now'], { env });
      const isEnded = async () => (await valueOf(app.url, 'chat_socket_disconnects_total')) === 1;
      await until(isEnded, 'its socket to end');
      await say('after.');
      expect(client.isRunning()).toBe(true);
    } finally {
      await client?.stop();
      await app.stop();
    }
  }, 120_000);

  test(`synchronizes a company with ${GROUPS} groups`, async () => {
    const database = await createTestDatabase();
    const log = pino({ level: 'silent' });
    const server: ServerProcess = await startServer({
      env: { DATABASE_URL: database.ownerUrl },
      readyWithinMs: 120_000,
    });
    const pool = createPool({ url: database.url, max: 4, applicationName: 'test', log });
    const { textSeal } = await sealIn(pool);
    const store = createPostgresEventStore({ pool, url: database.url, log, textSeal });
    await store.start();
    let client: ReadmeClient | undefined;
    try {
      const acme = person('Acme');
      const { userId } = await signUp(server.url, { role: 'company', ...acme });
      const adminId = UserId.parse(userId);
      const texts = Array.from({ length: GROUPS }, (_, index) => `in group ${index}.`);
      const events = texts.map((text): DomainEvent[] => {
        const groupId = GroupId.parse(newId());
        const message = { clientMsgId: ClientMsgId.parse(randomUUID()), messageId: MessageId.parse(newId()) };
        return [
          { type: 'ChatGroupCreated', data: { groupId, jobId: null, name: 'Quiet', adminId } },
          {
            type: 'MessageSent',
            data: { groupId, ...message, senderId: adminId, text, fileIds: [], replyTo: null },
          },
        ];
      });
      for (let done = 0; done < events.length; done += 500)
        await Promise.all(events.slice(done, done + 500).map((both) => happened(store, ...both)));
      await until(async () => (await fetch(`${server.url}/health/ready`)).ok, 'the read models');
      client = await startReadmeClient({ SERVER: server.url, EMAIL: acme.email, PASSWORD: acme.password });
      await until(
        () => texts.every((text) => client!.output().includes(`'${text}'`)),
        'every group',
        SHOWN_WITHIN_MS,
      );
    } finally {
      await client?.stop();
      await store.close();
      await pool.end();
      await server.killTree();
      await rm(server.dataDir, { recursive: true, force: true });
      await database.drop();
    }
  }, 300_000);
});
