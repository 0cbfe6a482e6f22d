import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { pino } from 'pino';
import { type Cluster, startCluster } from '../../scripts/cluster/cluster.ts';
import type { ClusterNode } from '../../scripts/cluster/node.ts';
import { createEventStoreDbEventStore } from '../../src/adapters/eventstoredb/event-store.ts';
import { createEventIds } from '../../src/adapters/postgres/tables/event-ids.ts';
import { sealIn } from '../support/stages/seal.ts';
import { createPostgresEventStore } from '../../src/adapters/postgres/event-log/event-store.ts';
import { createPool } from '../../src/adapters/postgres/connection.ts';
import { requirePrepared } from '../../src/adapters/postgres/prepare-database.ts';
import { rebuildReadModels } from '../../src/adapters/postgres/read-models/rebuild-projection.ts';
import { readModels } from '../../src/projections/read-models.ts';
import {
  EDGES,
  type Fault,
  blackHoles,
  flushRedis,
  killLeader,
  killNode,
  killStore,
  pauseRedis,
} from '../support/journeys/cluster-faults.ts';
import { checkHistory } from '../support/language/history-checker.ts';
import { VERIFICATION, confirmAddress, lettersTo } from '../support/journeys/account-letters.ts';
import { type MailServer, startMailServer } from '../support/servers/mail-server.ts';
import { type ChatProblem, type Session, call, signUp } from '../../tools/rest.ts';
import { Talker, headOf, historyOf } from '../support/journeys/talker.ts';
import { until } from '../../tools/until.ts';
import { STORY_ENV, describeWholeStory } from '../support/journeys/whole-story.ts';

/** A real EventStoreDB that has the log, instead of PostgreSQL. */
const eventStoreDbUrl = process.env['EVENTSTOREDB_TEST_URL'];

/**
 * The talkers use all but the last. The last one gets a single message during each fault, and nothing after
 * it.
 */
const GROUPS = 4;
/** Acknowledged messages before each fault. */
const BEFORE = 30;
/**
 * The time for a standby to take over and for lost pushes to be repaired: somewhat more than one heads
 * interval.
 */
const RECOVERED_WITHIN_MS = 30_000;
const BLACK_HOLE_MS = 20_000;
const HEADS_MS = 2_000;
/** With six talkers, about fifty messages a second, which leaves most of the machine to the cluster. */
const REST_MS = 100;
/** The minimum number of the six talkers on each API node. */
const EACH_NODE = 2;

/** The black holes cover every edge, several at once. */
const FAULTS: readonly Fault[] = [
  killLeader('projector'),
  killLeader('realtime'),
  killLeader('notifier'),
  killNode('worker', 0),
  killNode('api', 0),
  killNode('api', 1),
  killStore('redis'),
  flushRedis,
  pauseRedis(10_000),
  killStore('rabbitmq'),
  killStore('postgres'),
  blackHoles(
    BLACK_HOLE_MS,
    ['api->postgres', 0],
    ['realtime->redis'],
    ['notifier->rabbitmq'],
    ['worker->postgres'],
  ),
  blackHoles(
    BLACK_HOLE_MS,
    ['api->redis', 0],
    ['projector->postgres'],
    ['notifier->redis'],
    ['worker->rabbitmq'],
  ),
  blackHoles(BLACK_HOLE_MS, ['nginx->api', 1], ['realtime->postgres'], ['notifier->postgres']),
];

interface Job {
  jobId: string;
  groupId: string;
}

/** Counts the open sockets of one node. */
async function socketsOn({ url }: ClusterNode): Promise<number> {
  const metrics = await (await fetch(new URL('/metrics', url))).text();
  return Number(/^chat_sockets (\d+)/m.exec(metrics)?.[1] ?? 0);
}

const tell = (line: string) => void process.stdout.write(`${line}\n`);

describe('the cluster', () => {
  let cluster: Cluster;
  let mail: MailServer;

  beforeAll(async () => {
    mail = await startMailServer();
    cluster = await startCluster({
      edges: EDGES,
      env: {
        ...STORY_ENV,
        MESSAGES_PER_MINUTE: '1000000',
        ACCESS_TOKEN_SECONDS: '3600',
        HEADS_INTERVAL_MS: String(HEADS_MS),
        SMTP_URL: mail.url,
        ...(eventStoreDbUrl !== undefined && { EVENTSTOREDB_URL: eventStoreDbUrl }),
      },
    });
  }, 120_000);

  afterAll(async () => {
    await cluster?.stop();
    await mail?.close();
  }, 60_000);

  describeWholeStory('on many processes', async () => ({ url: cluster.url, close: async () => {} }));

  test('counts failed logins by the address that the balancer reports, whatever the client claims', async () => {
    const attempt = (address: string) =>
      call(cluster.url, 'POST', '/v1/auth/login', {
        body: { email: 'nobody@example.test', password: 'wrong password' },
        headers: { 'x-forwarded-for': address },
      }).catch((error: ChatProblem) => error.status);
    const statuses: unknown[] = [];
    for (let count = 0; count < 30; count += 1) statuses.push(await attempt(`203.0.113.${count}`));
    expect(statuses.slice(0, 10)).toEqual(Array(10).fill(401));
    expect(statuses.at(-1)).toBe(429);
  });

  describe('under load', () => {
    const zoeAddress = `zoe-${randomUUID()}@example.org`;
    let zoe: Session;
    let company: Session;
    let groups: string[];
    let talkers: Talker[];
    let isOver = false;
    let talks: Promise<void>[] = [];

    const acknowledged = () =>
      talkers.reduce((sum, { sends }) => sum + sends.filter(({ outcome }) => outcome === 'ok').length, 0);

    /**
     * Reconnects all talkers until each node has some: the balancer avoids a node for a while after failures.
     */
    async function spread(): Promise<void> {
      const isEverywhere = async () => {
        for (const { client } of talkers) client.close();
        await Promise.all(talkers.map(({ client }) => client.connect()));
        const counts = await Promise.all(cluster.of('api').map(socketsOn));
        // Otherwise closed sockets are still counted.
        const isCurrent = counts.reduce((sum, count) => sum + count, 0) === talkers.length;
        return isCurrent && counts.every((count) => count >= EACH_NODE);
      };
      await until(isEverywhere, 'talkers on every node');
    }

    async function talk(): Promise<void> {
      await spread();
      isOver = false;
      talks = talkers.map((talker) => talker.talkUntil(() => isOver));
    }
    async function fallSilent(): Promise<void> {
      isOver = true;
      await Promise.all(talks);
    }

    async function say({ client, sends, userId }: Talker, groupId: string, text: string): Promise<number> {
      const clientMsgId = randomUUID();
      const { seq, messageId } = await client.send({ groupId, clientMsgId, text }, RECOVERED_WITHIN_MS);
      sends.push({ groupId, senderId: userId, clientMsgId, text, outcome: 'ok', seq, messageId });
      return seq;
    }

    /** Lets each talker send one more message over its socket, and waits until all talkers receive it. */
    async function everybodyIsHeard(): Promise<void> {
      const groupId = groups[0]!;
      await Promise.all(
        talkers.map(async (talker) => {
          const seq = await say(talker, groupId, 'Hear, hear');
          await Promise.all(talkers.map((other) => other.client.reached(groupId, seq, RECOVERED_WITHIN_MS)));
        }),
      );
    }

    /** Waits until the read models contain every message acknowledged so far. */
    async function readModelsShowIt(): Promise<void> {
      for (const groupId of groups) {
        const seq = talkers[0]!.client.seq(groupId);
        await until(async () => (await headOf(company, groupId)) >= seq, 'the read models show it');
      }
    }

    /** Compares each read model row by row with a rebuild from the log. Rejects when they differ. */
    async function readModelsEqualARebuild(): Promise<boolean[]> {
      const log = pino({ level: 'silent' });
      const url = await requirePrepared(cluster.databaseUrl);
      // One connection per read model: a rebuild that waits too long for a connection fails.
      const max = readModels.length;
      const pool = createPool({ url, max, applicationName: 'check', log });
      const { textSeal } = await sealIn(pool);
      const store =
        eventStoreDbUrl === undefined
          ? createPostgresEventStore({ pool, url, log, textSeal })
          : createEventStoreDbEventStore({
              ...{ url: eventStoreDbUrl, ids: createEventIds(pool) },
              ...{ log, textSeal },
            });
      try {
        const rebuilt = await rebuildReadModels({ store, databaseUrl: url, log });
        return rebuilt.map(({ isVerified }) => isVerified);
      } finally {
        await store.close();
        await pool.end();
      }
    }

    beforeAll(async () => {
      const { url } = cluster;
      company = await signUp(url, { role: 'company', displayName: 'Company' });
      const jobs: Job[] = [];
      for (let index = 0; index < GROUPS; index += 1)
        jobs.push(
          await call<Job>(url, 'POST', '/v1/jobs', {
            token: company.accessToken,
            body: { title: `Job ${index}`, description: 'Hold on' },
          }),
        );
      groups = jobs.map(({ groupId }) => groupId);
      const applicants: Session[] = [];
      for (let index = 0; index < 5; index += 1)
        applicants.push(await signUp(url, { role: 'applicant', displayName: `Applicant ${index}` }));
      for (const { accessToken: token } of applicants)
        for (const { jobId } of jobs)
          await call(url, 'POST', `/v1/jobs/${jobId}/applications`, { token, body: {} });
      zoe = await signUp(url, { role: 'applicant', displayName: 'Zoe', email: zoeAddress });
      await confirmAddress(mail, zoeAddress);
      const preferences = { email: true, push: false, muted: [], digestMinutes: 0 };
      await call(url, 'PUT', '/v1/me/notification-preferences', {
        token: zoe.accessToken,
        body: preferences,
      });
      await call(url, 'POST', `/v1/jobs/${jobs[1]!.jobId}/applications`, {
        token: zoe.accessToken,
        body: {},
      });
      talkers = [company, ...applicants].map((session) => new Talker(session, groups.slice(0, -1), REST_MS));
    }, 60_000);

    afterEach(fallSilent);
    afterAll(() => {
      for (const { client } of talkers ?? []) client.close();
    });

    test.each(FAULTS.map((fault) => [fault.name, fault] as const))(
      'survives %s',
      async (name, fault) => {
        await talk();
        const before = acknowledged();
        await until(() => acknowledged() >= before + BEFORE, 'messages', 30_000);
        const struckAt = performance.now();
        const undo = await fault.strike(cluster);
        const whispered = say(talkers[0]!, groups.at(-1)!, name);
        await pause(fault.lasts ?? 0);
        const undone = undo();
        const from = fault.lasts === undefined ? struckAt : performance.now();
        await fault.recovered?.(cluster);
        await everybodyIsHeard();
        await readModelsShowIt();
        const recoveredMs = performance.now() - from;
        await Promise.all([undone, whispered]);
        await fallSilent();
        await cluster.ready(60_000);

        const history = await historyOf(talkers, groups, { reader: company });
        expect(checkHistory(history)).toEqual([]);
        expect(talkers.flatMap(({ refusals }) => refusals)).toEqual([]);
        expect(await readModelsEqualARebuild()).toEqual(readModels.map(() => true));
        tell(
          `${name}: recovered in ${(recoveredMs / 1_000).toFixed(1)} s, ${acknowledged() - before} messages`,
        );
      },
      120_000,
    );

    test('notifies an absent member of each message once', async () => {
      const owner = new pg.Client({ connectionString: cluster.databaseUrl });
      owner.on('error', () => {});
      await owner.connect();
      const told = async () => {
        const { rows } = await owner.query<{ sent: number; letters: number }>(
          `select
             count(*) filter (where outcome = 'sent')::int as sent,
             count(distinct batch_id)::int as letters
           from notifications where recipient_id = $1 and kind = 'message'`,
          [zoe.userId],
        );
        return { ...rows[0]!, said: await headOf(company, groups[1]!) };
      };
      const isTold = async () => {
        const { said, sent } = await told();
        return sent === said;
      };
      await until(isTold, 'Zoe to be notified', 90_000).catch(async (error: Error) => {
        throw new Error(`${error.message}: ${JSON.stringify(await told())}`);
      });
      const letters = lettersTo(mail, zoeAddress).filter((letter) => letter.mail.subject !== VERIFICATION);
      expect(letters).toHaveLength((await told()).letters);
      await owner.end();
    }, 120_000);
  });
});
