import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startCluster } from '../../scripts/cluster/cluster.ts';
import { signUp } from '../../tools/rest.ts';
import { descendants, freePort } from '../../tools/server-process.ts';
import { until } from '../../tools/until.ts';

/** Many processes start at once, next to other tests. */
const START_MS = 240_000;

test(
  'A cluster that cannot start stops what has started, and reports the reason',
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

  const launch = (...args: string[]) => run(process.execPath, 'scripts/cluster.ts', ...args);

  function run(command: string, ...args: string[]): void {
    said = '';
    const root = join(import.meta.dirname, '../..');
    script = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [script.stdout!, script.stderr!])
      stream.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
  }
  afterEach(() => void script.kill('SIGKILL'));

  /** Whether a process is one of the cluster's own. */
  const isNode = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('src/main.ts');

  async function interrupt(signal: NodeJS.Signals = 'SIGINT'): Promise<number | null> {
    const left = descendants(script.pid!);
    const exited = once(script, 'exit');
    script.kill(signal);
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
        '2 api, 2 projector, 2 realtime, 2 notifier, 2 worker, 2 sealer, PostgreSQL, Redis, RabbitMQ, NGINX',
      );
      expect(said).toContain(`The chat is at http://127.0.0.1:${port}`);
      await signUp(`http://127.0.0.1:${port}`, { role: 'company', displayName: 'Harbour Robotics' });

      const node = descendants(script.pid!).find((pid) => isNode(pid))!;
      process.kill(node, 'SIGKILL');
      await until(() => /\w+ \d has ended; starting it again/.test(said), 'the loss to be told', START_MS);
      await until(() => /\w+ \d runs again/.test(said), 'the process to run again', START_MS);
      expect(await interrupt()).toBe(0);
    },
    2 * START_MS,
  );

  test(
    'stops what has started when interrupted during the start',
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

  test(
    'stops what has started when a signal ends only npm and its shell',
    async () => {
      run('npm', 'run', 'cluster', '--', '--port', String(await freePort()));
      await until(
        () => said.includes('RabbitMQ runs') || script.exitCode !== null,
        'some parts run',
        START_MS,
      );
      await interrupt('SIGTERM');
      expect(said).not.toContain('The chat is at');
    },
    START_MS,
  );

  test('refuses an invalid port', async () => {
    launch('--port', 'http');
    expect(await once(script, 'exit')).toEqual([1, null]);
    expect(said).toBe('--port must be 1 to 65535\n');
  });
});
