import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { ChatClient, type Sent } from '../support/chat-client.ts';
import { type Session, Refused, call, signUp } from '../support/rest-client.ts';
import { until } from '../support/until.ts';
import { type ReadBack, type RestHistory, type Send, checkHistory } from '../support/history-checker.ts';
import { type ServerProcess, freePort, startServer } from '../support/server-process.ts';

const KILLS = 10;
/** Acknowledged messages before each kill. */
const PER_ROUND = 100;
const GROUPS = 3;
/** Of four messages, one is given up after the first try: its outcome stays unknown. */
const GIVES_UP = 0.25;
const OVER_REST = 0.2;
const READS_BACK = 0.1;

interface Job {
  jobId: string;
  groupId: string;
}

const env = {
  MESSAGES_PER_MINUTE: '1000000',
  LOGINS_PER_MINUTE: '1000000',
  HEADS_INTERVAL_MS: '500',
  LOG_LEVEL: 'info',
};

/** Members who never stop talking, and write down what they asked for and what they were told. */
class Talker {
  readonly client: ChatClient;
  readonly sends: Send[] = [];
  readonly reads: ReadBack[] = [];
  readonly refusals: string[] = [];
  readonly #session: Session;
  readonly #groups: string[];

  constructor(session: Session, groups: string[]) {
    this.#session = session;
    this.#groups = groups;
    this.client = new ChatClient(session);
  }

  async talkUntil(isOver: () => boolean): Promise<void> {
    for (let count = 0; !isOver(); count += 1) {
      const groupId = this.#groups[count % this.#groups.length]!;
      const text = `${count} from ${this.#session.userId}`;
      const send: Send = {
        ...{ groupId, senderId: this.#session.userId, clientMsgId: randomUUID(), text },
        outcome: 'unknown',
      };
      this.sends.push(send);
      await this.#deliver(send, isOver);
      await pause(5 + Math.random() * 20);
    }
  }

  async #deliver(send: Send, isOver: () => boolean): Promise<void> {
    const overRest = Math.random() < OVER_REST;
    const { groupId, clientMsgId, text } = send;
    const patienceMs = Math.random() < GIVES_UP ? 0 : 60_000;
    try {
      const { seq, messageId, position } = overRest
        ? await this.#sendOverRest(send, patienceMs)
        : await this.client.send({ groupId, clientMsgId, text }, patienceMs);
      Object.assign(send, { outcome: 'ok', seq, messageId });
      if (Math.random() < READS_BACK && !isOver()) await this.#readBack(groupId, seq, position);
    } catch (error) {
      if (!(error instanceof Refused) || error.problem.retryable) return;
      send.outcome = 'refused';
      this.refusals.push(error.message);
    }
  }

  async #sendOverRest({ groupId, clientMsgId, text }: Send, patienceMs: number): Promise<Sent> {
    const deadline = Date.now() + patienceMs;
    for (;;) {
      try {
        const { url, accessToken: token } = this.#session;
        return await call<Sent>(url, 'POST', `/v1/groups/${groupId}/messages`, {
          token,
          body: { clientMsgId, text },
        });
      } catch (error) {
        const isFinal = error instanceof Refused && !error.problem.retryable;
        if (isFinal || Date.now() > deadline) throw error;
        await pause(100);
      }
    }
  }

  async #readBack(groupId: string, seq: number, position: string): Promise<void> {
    const { url, accessToken: token } = this.#session;
    const path = `/v1/groups/${groupId}/messages?afterSeq=${seq - 1}&limit=1`;
    const shown = await call<{ data: { seq: number }[] }>(url, 'GET', path, {
      token,
      headers: { 'x-min-position': position },
    }).then(
      ({ data }) => data[0]?.seq === seq,
      () => 'unavailable' as const,
    );
    this.reads.push({ groupId, seq, shown });
  }
}

async function restHistory({ url, accessToken: token }: Session, groupId: string): Promise<RestHistory> {
  const messages: RestHistory['messages'] = [];
  for (;;) {
    const afterSeq = messages.at(-1)?.seq ?? 0;
    const path = `/v1/groups/${groupId}/messages?afterSeq=${afterSeq}&limit=100`;
    const page = await call<{ data: RestHistory['messages']; hasMore: boolean }>(url, 'GET', path, { token });
    messages.push(...page.data);
    if (!page.hasMore) return { groupId, messages };
  }
}

const headOf = async ({ url, accessToken: token }: Session, groupId: string) =>
  (await call<{ headSeq: number }>(url, 'GET', `/v1/groups/${groupId}`, { token })).headSeq;

describe('kill -9 of the whole process tree, database included, under load', () => {
  let server: ServerProcess;

  afterAll(async () => {
    await server.killTree();
    await rm(server.dataDir, { recursive: true, force: true });
  });

  test(`loses nothing, repeats nothing and leaves no hole in ${KILLS} kills`, async () => {
    const port = await freePort();
    server = await startServer({ port, env });
    const { url, dataDir } = server;
    const company = await signUp(url, { role: 'company', displayName: 'Company' });
    const jobs = await Promise.all(
      Array.from({ length: GROUPS }, (_, index) =>
        call<Job>(url, 'POST', '/v1/jobs', {
          token: company.accessToken,
          body: { title: `Job ${index}`, description: 'Hold on' },
        }),
      ),
    );
    const groups = jobs.map((job) => job.groupId);
    const applicants = await Promise.all(
      Array.from({ length: 4 }, (_, index) => signUp(url, { role: 'applicant', displayName: `A${index}` })),
    );
    for (const { accessToken: token } of applicants)
      for (const { jobId } of jobs)
        await call(url, 'POST', `/v1/jobs/${jobId}/applications`, { token, body: {} });

    const talkers = [company, ...applicants].map((session) => new Talker(session, groups));
    await Promise.all(talkers.map(({ client }) => client.connect()));
    const acknowledged = () =>
      talkers.reduce((sum, { sends }) => sum + sends.filter(({ outcome }) => outcome === 'ok').length, 0);
    let isOver = false;
    const talks = talkers.map((talker) => talker.talkUntil(() => isOver));
    for (let kill = 0; kill < KILLS; kill += 1) {
      const before = acknowledged();
      await until(() => acknowledged() >= before + PER_ROUND, 'they talk again', 30_000);
      await pause(Math.random() * 500);
      await server.killTree();
      server = await startServer({ port, dataDir, env });
    }
    const beforeEnd = acknowledged();
    await until(() => acknowledged() > beforeEnd, 'they talk again', 30_000);
    isOver = true;
    await Promise.all(talks);

    const late = await new ChatClient(company).connect();
    const clients = [...talkers.map(({ client }) => client), late];
    for (const groupId of groups) {
      const head = await headOf(company, groupId);
      await Promise.all(clients.map((client) => client.reached(groupId, head, 30_000)));
    }
    const history = {
      sends: talkers.flatMap(({ sends }) => sends),
      reads: talkers.flatMap(({ reads }) => reads),
      observers: clients.map((client, index) => ({ name: `client ${index}`, groups, seen: client.applied })),
      rest: await Promise.all(groups.map((groupId) => restHistory(company, groupId))),
    };
    for (const client of clients) client.close();
    expect(checkHistory(history)).toEqual([]);
    expect(acknowledged()).toBeGreaterThan(KILLS * PER_ROUND);
    expect(talkers.flatMap(({ refusals }) => refusals)).toEqual([]);
    expect(history.reads.filter(({ shown }) => shown === true).length).toBeGreaterThan(0);
  }, 150_000);
});
