import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type Session, call, signUp } from '../../../tools/rest.ts';
import { parseServerUrl } from '../../../src/kit/server-url.ts';
import { until } from '../../../tools/until.ts';
import { checkHistory } from '../language/history-checker.ts';
import { Talker, historyOf } from './talker.ts';

export interface EventStoreDbNodes {
  /** Names all nodes; without TLS. */
  url: string;
  /** Commands of a shell that end a node at once, and start it again. `$NODE` is its host and port. */
  end: string;
  start: string;
}

const DEATHS = 3;
/** Acknowledged messages before and after each death. */
const MESSAGES = 30;
const ELECTED_WITHIN_MS = 30_000;
const READY_WITHIN_MS = 60_000;

interface Member {
  state: string;
  isAlive: boolean;
  httpEndPointIp: string;
  httpEndPointPort: number;
}

/** Returns what a node knows of the cluster; nothing while it does not answer. */
async function gossipOf(host: string, port = 2113): Promise<Member[]> {
  try {
    const response = await fetch(`http://${host}:${port}/gossip`, { signal: AbortSignal.timeout(1_000) });
    return ((await response.json()) as { members: Member[] }).members.filter(({ isAlive }) => isAlive);
  } catch {
    return [];
  }
}

async function membersOf(url: string): Promise<Member[]> {
  const gossip = await Promise.all(parseServerUrl(url)!.hosts.map(({ host, port }) => gossipOf(host, port)));
  return gossip.toSorted((a, b) => b.length - a.length)[0] ?? [];
}

/** Resolves with the host and port of the leader once the cluster is whole. */
async function leaderOf(url: string): Promise<string> {
  const { hosts } = parseServerUrl(url)!;
  let leader: Member | undefined;
  await until(
    async () => {
      const members = await membersOf(url);
      leader = members.find(({ state }) => state === 'Leader');
      const followers = members.filter(({ state }) => state === 'Follower');
      return leader !== undefined && followers.length === hosts.length - 1;
    },
    'every node to lead or follow',
    READY_WITHIN_MS,
  );
  return `${leader!.httpEndPointIp}:${leader!.httpEndPointPort}`;
}

/** The death of leaders of a real cluster, while members talk to one process. */
export function describeLeaderDeath(
  { url, end, start }: EventStoreDbNodes,
  startServer: () => Promise<{ url: string; close(): Promise<void> }>,
) {
  describe('a server on a cluster of EventStoreDB', () => {
    let server: { url: string; close(): Promise<void> };
    const talkers: Talker[] = [];
    let company: Session;
    let groupId: string;
    let isOver = false;

    beforeAll(async () => {
      await leaderOf(url);
      server = await startServer();
      company = await signUp(server.url, { role: 'company', displayName: 'Company' });
      const job = await call<{ jobId: string; groupId: string }>(server.url, 'POST', '/v1/jobs', {
        token: company.accessToken,
        body: { title: 'Job', description: 'Hold on' },
      });
      groupId = job.groupId;
      const applicant = await signUp(server.url, { role: 'applicant', displayName: 'Applicant' });
      await call(server.url, 'POST', `/v1/jobs/${job.jobId}/applications`, {
        token: applicant.accessToken,
        body: {},
      });
      talkers.push(...[company, applicant].map((session) => new Talker(session, [groupId], 50)));
      await Promise.all(talkers.map(({ client }) => client.connect()));
    }, 180_000);
    afterAll(async () => {
      isOver = true;
      for (const { client } of talkers) client.close();
      await server?.close();
    });

    test('loses and repeats no message when its leader dies again and again', async () => {
      const acknowledged = () =>
        talkers.flatMap(({ sends }) => sends).filter(({ outcome }) => outcome === 'ok').length;
      const more = async (what: string) => {
        const before = acknowledged();
        await until(() => acknowledged() >= before + MESSAGES, what, ELECTED_WITHIN_MS);
      };
      const talks = talkers.map((talker) => talker.talkUntil(() => isOver));
      for (let deaths = 1; deaths <= DEATHS; deaths += 1) {
        await more('messages');
        const node = await leaderOf(url);
        const run = (command: string) =>
          promisify(execFile)('sh', ['-c', command], { env: { ...process.env, NODE: node } });
        await run(end);
        await more(`messages after the death of ${node}`);
        await run(start);
      }
      isOver = true;
      await Promise.all(talks);
      const history = await historyOf(talkers, [groupId], { reader: company });
      expect(checkHistory(history)).toEqual([]);
      expect(talkers.flatMap(({ refusals }) => refusals)).toEqual([]);
    }, 600_000);
  });
}
