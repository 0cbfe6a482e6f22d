import { randomUUID } from 'node:crypto';
import { appendFile, chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { type ChatProblem, type Session, call, signUp } from '../../tools/rest.ts';
import { type Cluster, startCluster } from '../../scripts/cluster/cluster.ts';
import type { ClusterNode } from '../../scripts/cluster/node.ts';
import { isReady, startServer } from '../../tools/server-process.ts';
import { until } from '../../tools/until.ts';
import { healthOf, valueOf } from '../support/journeys/health.ts';
import { administer } from '../support/stages/database.ts';
import { type Person, type TestApp, startApp } from '../support/stages/app.ts';

/** See docs/promises.md no. 7. */
const TURNS_WITHIN_MS = 3_000;
const RECOVERS_WITHIN_MS = 20_000;
const job = { title: 'Engineer', description: 'Builds engines' };

describe('a server whose database becomes read-only', () => {
  let app: TestApp;
  let company: Person;
  let name: string;

  beforeAll(async () => {
    app = await startApp();
    company = await app.register('company');
    name = new URL(app.databaseUrl).pathname.slice(1);
  }, 60_000);
  afterAll(() => app.stop());

  /** As the primary is after a failover: sessions go, and new ones can only read. */
  const setReadOnly = (isReadOnly: boolean) =>
    administer(
      `alter database ${name} set default_transaction_read_only = ${isReadOnly ? 'on' : 'off'}`,
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`,
    );
  /** Its key is stored before anything is appended to the log. */
  const post = () =>
    app.ask('POST', '/v1/jobs', {
      as: company,
      body: job,
      headers: { 'idempotency-key': randomUUID() },
    });
  const readiness = async () => (await app.ask('GET', '/health/ready')).status;

  test('is not ready within 3 s of the first call that fails, and is again when it can write', async () => {
    await setReadOnly(true);
    await until(async () => (await post()).status === 503, 'a call fails');
    await until(async () => (await readiness()) === 503, 'it is not ready', TURNS_WITHIN_MS);
    // It stays so: reading works all the time.
    for (let looks = 0; looks < 5; looks += 1) {
      expect((await post()).status).toBe(503);
      expect(await readiness()).toBe(503);
    }
    expect((await app.ask('GET', '/health/live')).status).toBe(200);
    const told = app.lines().filter(({ msg }) => msg === 'readiness changed');
    expect(told).toContainEqual(
      expect.objectContaining({
        dependency: 'database',
        status: 'down',
        detail: expect.stringContaining('read-only transaction'),
      }),
    );
    expect(JSON.stringify(app.lines())).not.toContain('[object Object]');

    await setReadOnly(false);
    await until(async () => (await readiness()) === 200, 'it is ready again', RECOVERS_WITHIN_MS);
    expect((await post()).status).toBe(201);
  }, 60_000);
});

/**
 * A file system that is soon full, in a mount namespace of the server's own: without root, in a user namespace as well,
 * where everybody may mount.
 */
async function smallDisk(mebibytes: number) {
  const folder = await mkdtemp(join(tmpdir(), 'small-disk-'));
  await chmod(folder, 0o777);
  const asSomebody = process.getuid?.() === 0 ? [] : ['--user', '--map-current-user', '--keep-caps'];
  const mount = `mount -t tmpfs -o size=${mebibytes}m,mode=0777 chat-test '${folder}' && exec "$@"`;
  return {
    folder,
    within: ['unshare', ...asSomebody, '--mount', 'sh', '-c', mount, 'sh'],
    /** Fills it for the process that has it. Resolves with a function that frees it. */
    async fill(pid: number): Promise<() => Promise<void>> {
      const file = join(`/proc/${pid}/root`, folder, 'ballast');
      const chunk = Buffer.alloc(65_536);
      const isFull = (error: NodeJS.ErrnoException) => error.code === 'ENOSPC';
      const fill = () =>
        appendFile(file, chunk).then(
          () => false,
          (error: NodeJS.ErrnoException) => {
            if (isFull(error)) return true;
            throw error;
          },
        );
      while (!(await fill()));
      return () => rm(file);
    },
    /** Once the process has ended, nothing is mounted any more. */
    remove: () => rm(folder, { recursive: true }),
  };
}

describe('a server whose disk is full', () => {
  test('is not ready for as long as that lasts, and needs no restart', async () => {
    const disk = await smallDisk(200);
    const server = await startServer({
      within: disk.within,
      dataDir: join(disk.folder, 'data'),
      env: { MIN_FREE_DISK_MIB: '0', MESSAGES_PER_MINUTE: '1000000', REQUESTS_PER_MINUTE: '1000000' },
    });
    try {
      const company = await signUp(server.url, { role: 'company', displayName: 'Company' });
      const { groupId } = await call<{ groupId: string }>(server.url, 'POST', '/v1/jobs', {
        token: company.accessToken,
        body: job,
      });
      const send = () =>
        call(server.url, 'POST', `/v1/groups/${groupId}/messages`, {
          token: company.accessToken,
          body: { clientMsgId: randomUUID(), text: 'x'.repeat(4_000) },
        }).then(
          () => 201,
          (error: ChatProblem) => error.status,
        );
      const free = await disk.fill(server.pid);
      // What PostgreSQL has reserved takes some messages more.
      await until(async () => (await send()) === 503, 'a message is refused', 60_000);
      await until(async () => !(await isReady(server.url)), 'it is not ready', TURNS_WITHIN_MS);
      for (let looks = 0; looks < 20; looks += 1) {
        expect(await send()).toBe(503);
        expect(await isReady(server.url)).toBe(false);
      }
      await free();
      await until(() => isReady(server.url), 'it is ready again', RECOVERS_WITHIN_MS);
      expect(await send()).toBe(201);
    } finally {
      await server.stop();
      await disk.remove();
    }
  }, 180_000);
});

describe('the processes of a deployment', () => {
  /** See TERM_MS in adapters/postgres/leases.ts: a lease ends, and may then be vacant for as long. */
  const VACANT_WITHIN_MS = 20_000;
  let cluster: Cluster;
  let api: ClusterNode;
  let worker: ClusterNode;
  let company: Session;
  let groupId: string;

  beforeAll(async () => {
    cluster = await startCluster({
      nodes: { api: 1, projector: 2, realtime: 1, notifier: 1, worker: 1 },
    });
    [api, worker] = [cluster.of('api')[0]!, cluster.of('worker')[0]!];
    company = await signUp(api.url, { role: 'company', displayName: 'Company' });
    const posted = { token: company.accessToken, body: job };
    ({ groupId } = await call<{ groupId: string }>(api.url, 'POST', '/v1/jobs', posted));
  }, 300_000);
  afterAll(() => cluster?.stop(), 60_000);

  const say = (text: string) =>
    call(api.url, 'POST', `/v1/groups/${groupId}/messages`, {
      token: company.accessToken,
      body: { clientMsgId: randomUUID(), text },
    });
  const leadersOf = async (lease: string) => {
    const running = cluster.nodes.filter(({ isRunning }) => isRunning);
    const leads = await Promise.all(running.map(({ url }) => valueOf(url, 'chat_leader', { lease })));
    return leads.reduce<number>((sum, each) => sum + (each ?? 0), 0);
  };

  test('each tell whether they lead, and any of them how far every follower is', async () => {
    for (const lease of ['projector', 'reactions', 'realtime', 'notifier', 'files', 'housekeeping'])
      await until(async () => (await leadersOf(lease)) === 1, `one node leads ${lease}`);
    await say('hello');
    for (const { url } of [api, worker])
      for (const follower of ['conversations', 'reactions', 'notifier'])
        await until(
          async () => ((await valueOf(url, 'chat_lag_seconds', { follower })) ?? -1) >= 0,
          `the lag of ${follower} is known`,
        );
    // Neither exports a gauge of what the other does.
    expect(await valueOf(api.url, 'chat_sockets')).toBe(0);
    expect(await valueOf(worker.url, 'chat_sockets')).toBeUndefined();
    expect(await valueOf(worker.url, 'chat_queue_depth', { queue: 'notifications' })).toBe(0);
    expect(await valueOf(api.url, 'chat_queue_depth')).toBeUndefined();
    const { dependencies } = await healthOf(worker.url);
    expect(dependencies).toMatchObject({ leaders: { status: 'ok' }, followers: { status: 'ok' } });
  }, 60_000);

  test('stay ready when a leader is stopped and another takes over', async () => {
    const stopped = await leadingNode();
    let hasFlapped = false;
    let isOver = false;
    const watching = (async () => {
      while (!isOver) {
        if (!(await isReady(api.url))) hasFlapped = true;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    })();
    process.kill(stopped.pid, 'SIGSTOP');
    const [other] = cluster.of('projector').filter((node) => node !== stopped);
    const leads = () => valueOf(other!.url, 'chat_leader', { lease: 'projector' });
    await until(async () => (await leads()) === 1, 'the other leads', VACANT_WITHIN_MS);
    process.kill(stopped.pid, 'SIGCONT');
    await until(async () => (await leadersOf('projector')) === 1, 'there is one leader');
    await cluster.of('notifier')[0]!.restart();
    isOver = true;
    await watching;
    expect(hasFlapped).toBe(false);
  }, 120_000);

  test('are not ready without a projector or a broadcaster, and say for how long', async () => {
    for (const node of [...cluster.of('projector'), ...cluster.of('realtime')]) await node.kill();
    await say('nobody sees this yet');
    await until(async () => !(await isReady(api.url)), 'the API is not ready', VACANT_WITHIN_MS);
    expect((await healthOf(api.url)).dependencies['leaders']).toEqual({ status: 'down' });
    // The worker's own work goes on. Its answer has the details.
    const leaders = async () => (await healthOf(worker.url)).dependencies['leaders']!;
    const both = /^no process leads projector \(for \d+ s\), realtime \(for \d+ s\)$/;
    await until(async () => both.test((await leaders()).detail ?? ''), 'both are missed');
    expect(await leaders()).toMatchObject({ status: 'degraded' });
    expect(await isReady(worker.url)).toBe(true);
    expect(await leadersOf('projector')).toBe(0);
    expect(await valueOf(api.url, 'chat_leader', { lease: 'projector' })).toBe(0);
    const lag = () => valueOf(api.url, 'chat_lag_seconds', { follower: 'conversations' });
    await until(async () => ((await lag()) ?? 0) > 10, 'the lag grows', 30_000);
    const followers = async () => (await healthOf(worker.url)).dependencies['followers'];
    await until(async () => (await followers())?.status === 'degraded', 'the lag is reported');
    expect((await followers())?.detail).toMatch(/conversations is \d+ s behind/);
    expect((await fetch(new URL('/health/live', api.url))).status).toBe(200);

    for (const node of [...cluster.of('projector'), ...cluster.of('realtime')]) await node.restart();
    await until(() => isReady(api.url), 'the API is ready again', RECOVERS_WITHIN_MS);
  }, 180_000);

  test('without a notifier stay ready, degraded, and count what waits', async () => {
    await cluster.of('notifier')[0]!.kill();
    const upkeep = async () => (await healthOf(worker.url)).dependencies['upkeep'];
    await until(async () => (await upkeep())?.status === 'degraded', 'it is reported', VACANT_WITHIN_MS);
    expect((await upkeep())?.detail).toContain('no process leads notifier');
    expect(await isReady(api.url)).toBe(true);
    await cluster.of('notifier')[0]!.restart();
    await until(async () => (await upkeep())?.status === 'ok', 'it has recovered', RECOVERS_WITHIN_MS);
  }, 120_000);

  test('report a follower that is held up, in seconds and as a part of the log', async () => {
    const owner = new pg.Client({ connectionString: cluster.databaseUrl });
    await owner.connect();
    try {
      await owner.query('begin');
      await owner.query('lock table jobs.jobs in access exclusive mode');
      await call(api.url, 'POST', '/v1/jobs', { token: company.accessToken, body: job });
      const followers = async () => (await healthOf(worker.url)).dependencies['followers'];
      await until(async () => (await followers())?.status === 'degraded', 'the lag is reported', 30_000);
      expect((await followers())?.detail).toMatch(/^jobs is \d+ s behind, at \d+ % of the log$/);
      await owner.query('rollback');
      await until(async () => (await followers())?.status === 'ok', 'it has caught up', RECOVERS_WITHIN_MS);
    } finally {
      await owner.end();
    }
  }, 120_000);

  async function leadingNode(): Promise<ClusterNode> {
    let leader: ClusterNode | undefined;
    await until(async () => {
      for (const node of cluster.of('projector'))
        if ((await valueOf(node.url, 'chat_leader', { lease: 'projector' })) === 1) leader = node;
      return leader !== undefined;
    }, 'a projector leads');
    return leader!;
  }
});
