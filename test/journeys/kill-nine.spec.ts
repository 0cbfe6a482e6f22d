import { rm } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { Listener } from '../../tools/listener.ts';
import { call, signUp } from '../../tools/rest.ts';
import { until } from '../../tools/until.ts';
import { checkHistory } from '../support/language/history-checker.ts';
import { Talker, historyOf } from '../support/journeys/talker.ts';
import { type ServerProcess, freePort, startServer } from '../../tools/server-process.ts';

const KILLS = 10;
/** Acknowledged messages before each kill. */
const PER_ROUND = 100;
const GROUPS = 3;

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

describe('kill -9 of the whole process tree under load, including the database', () => {
  let server: ServerProcess;

  afterAll(async () => {
    await server.killTree();
    await rm(server.dataDir, { recursive: true, force: true });
  });

  test(`loses no message, duplicates none and leaves no hole in ${KILLS} kills`, async () => {
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
      await until(() => acknowledged() >= before + PER_ROUND, 'new messages', 30_000);
      await pause(Math.random() * 500);
      await server.killTree();
      server = await startServer({ port, dataDir, env });
    }
    const beforeEnd = acknowledged();
    await until(() => acknowledged() > beforeEnd, 'new messages', 30_000);
    isOver = true;
    await Promise.all(talks);

    const late = await new Listener(company).connect();
    const history = await historyOf(talkers, groups, { reader: company, late: [late] });
    for (const client of [...talkers.map(({ client }) => client), late]) client.close();
    expect(checkHistory(history)).toEqual([]);
    expect(acknowledged()).toBeGreaterThan(KILLS * PER_ROUND);
    expect(talkers.flatMap(({ refusals }) => refusals)).toEqual([]);
    expect(history.reads.filter(({ shown }) => shown === true).length).toBeGreaterThan(0);
  }, 300_000);
});
