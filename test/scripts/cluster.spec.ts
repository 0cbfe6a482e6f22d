import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type Cluster, startCluster } from '../../scripts/cluster/cluster.ts';
import { call, logIn, signUp } from '../support/rest-client.ts';
import { descendants, freePort, isReady } from '../support/server-process.ts';
import { until } from '../support/until.ts';

/** Many processes start at once, on a machine that runs other tests as well. */
const START_MS = 240_000;

describe('a cluster on one machine', () => {
  let cluster: Cluster;
  const person = { email: 'ada@example.test', password: 'correct horse battery', displayName: 'Ada' };

  beforeAll(async () => {
    cluster = await startCluster({ nodes: { all: 2 }, edges: ['all->postgres', 'nginx->api'] });
    await signUp(cluster.url, { role: 'applicant', ...person });
  }, START_MS);
  afterAll(() => cluster?.stop(), START_MS);

  const status = (url: string) => fetch(`${url}/health/ready`).then(({ status }) => status);

  test('is reached at one address, and each of its nodes at its own', async () => {
    expect(cluster.of('all')).toHaveLength(2);
    expect(await Promise.all([cluster, ...cluster.nodes].map(({ url }) => status(url)))).toEqual([
      200, 200, 200,
    ]);
  });

  test('tells its nodes who asks, which they believe of the balancer', async () => {
    const attempt = (address: string) =>
      call(cluster.url, 'POST', '/v1/auth/login', {
        body: { email: 'nobody@example.test', password: 'wrong password' },
        headers: { 'x-forwarded-for': address },
      }).catch((error: { problem: { status: number } }) => error.problem.status);
    const statuses: unknown[] = [];
    for (let count = 0; count < 30; count += 1) statuses.push(await attempt(`203.0.113.${count}`));
    expect(statuses.slice(0, 10)).toEqual(Array(10).fill(401));
    expect(statuses.at(-1)).toBe(429);
  });

  test(
    'goes on when a node is killed, which comes back at the same address',
    async () => {
      const [node] = cluster.nodes;
      const { pid, url } = node!;
      await node!.kill();
      expect(node!.isRunning).toBe(false);
      for (let count = 0; count < 10; count += 1) expect(await status(cluster.url)).toBe(200);
      await node!.restart();
      expect(node!.pid).not.toBe(pid);
      expect(await isReady(url)).toBe(true);
    },
    START_MS,
  );

  test(
    'keeps what it acknowledged when PostgreSQL is killed with all its workers',
    async () => {
      const { pid } = cluster.postgres;
      await cluster.postgres.kill();
      expect(descendants(process.pid)).not.toContain(pid);
      expect(await status(cluster.url)).toBe(503);
      await cluster.postgres.restart();
      await cluster.ready();
      await logIn(cluster.url, person.email, person.password);
    },
    START_MS,
  );

  test('has ways that can be cut, each node’s on its own', async () => {
    const [first, second] = cluster.nodes;
    const [way] = cluster.edge('all->postgres');
    way!.blackHole();
    await until(async () => (await status(first!.url)) === 503, 'the node is not ready');
    expect(await status(second!.url)).toBe(200);
    way!.heal();
    await cluster.ready();
    expect(cluster.edge('nginx->api')).toHaveLength(2);
    expect(() => cluster.edge('api->redis')).toThrow('no proxies were asked for on api->redis');
  });

  test(
    'restarts Redis and RabbitMQ at their addresses',
    async () => {
      const pids = () => [cluster.redis.pid, cluster.rabbitmq.pid, cluster.nginx.pid];
      const before = pids();
      for (const part of [cluster.redis, cluster.rabbitmq, cluster.nginx]) await part.restart();
      const kept = pids().filter((pid) => before.includes(pid));
      expect(kept).toEqual([]);
      await cluster.ready(START_MS);
      expect(await status(cluster.url)).toBe(200);
    },
    START_MS,
  );
});

test(
  'A cluster that cannot start ends what had started, and says why',
  async () => {
    const before = new Set(descendants(process.pid));
    const starting = startCluster({ nodes: { all: 2 }, env: { MAX_FILE_MIB: 'plenty' } });
    await expect(starting).rejects.toThrow(/all \d: the server stopped:\nMAX_FILE_MIB must be/);
    await until(() => descendants(process.pid).every((pid) => before.has(pid)), 'everything has ended');
  },
  START_MS,
);

describe('npm run cluster', () => {
  let script: ChildProcess;
  let said: string;

  function launch(...args: string[]): void {
    said = '';
    const root = join(import.meta.dirname, '../..');
    script = spawn(process.execPath, ['scripts/cluster.ts', ...args], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [script.stdout!, script.stderr!])
      stream.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
  }
  afterEach(() => void script.kill('SIGKILL'));

  async function interrupt(): Promise<number | null> {
    const left = descendants(script.pid!);
    const exited = once(script, 'exit');
    script.kill('SIGINT');
    const [code] = (await exited) as [number | null];
    const isGone = (pid: number) => !descendants(1).includes(pid) && !descendants(process.pid).includes(pid);
    await until(() => left.every(isGone), 'everything has ended');
    return code;
  }

  test(
    'starts two of each role, prints one address, and stops everything on Ctrl-C',
    async () => {
      const port = await freePort();
      launch('--port', String(port));
      await until(
        () => said.includes('Ctrl-C stops everything') || script.exitCode !== null,
        'the address',
        START_MS,
      );
      expect(said).toContain(
        '2 api, 2 projector, 2 realtime, 2 notifier, 2 worker, PostgreSQL, Redis, RabbitMQ, NGINX',
      );
      expect(said).toContain(`The chat is at http://127.0.0.1:${port}`);
      await signUp(`http://127.0.0.1:${port}`, { role: 'company', displayName: 'Harbour Robotics' });
      expect(await interrupt()).toBe(0);
    },
    2 * START_MS,
  );

  test(
    'stops what has started when it is interrupted half-way',
    async () => {
      launch('--port', String(await freePort()));
      await until(
        () => said.includes('RabbitMQ runs') || script.exitCode !== null,
        'some parts run',
        START_MS,
      );
      expect(await interrupt()).toBe(0);
      expect(said).not.toContain('The chat is at');
    },
    START_MS,
  );

  test('refuses a port that is none', async () => {
    launch('--port', 'http');
    expect(await once(script, 'exit')).toEqual([1, null]);
    expect(said).toBe('--port must be 1 to 65535\n');
  });
});
