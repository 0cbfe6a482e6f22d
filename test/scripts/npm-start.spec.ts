import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accepts, descendants, freePort, isReady, killProcesses } from '../../tools/server-process.ts';
import { until } from '../../tools/until.ts';

const ROOT = join(import.meta.dirname, '../..');
const START_MS = 120_000;
const commandOf = (pid: number) => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
};

describe('npm start', () => {
  let npm: ChildProcess;
  let dataDir: string;
  let port: number;
  let tree: number[];

  beforeEach(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'chat-npm-start-'));
    port = await freePort();
    const { PATH = '', HOME = '' } = process.env;
    npm = spawn('npm', ['start'], {
      cwd: ROOT,
      env: { PATH, HOME, DATA_DIR: dataDir, PORT: String(port), LOG_LEVEL: 'warn' },
      stdio: 'ignore',
      detached: true,
    });
    await until(() => isReady(`http://127.0.0.1:${port}`), 'the server is ready', START_MS);
    tree = [npm.pid!, ...descendants(npm.pid!)];
  }, START_MS);

  afterEach(async () => {
    killProcesses(tree.filter((pid) => /npm|node|postgres/.test(commandOf(pid))));
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  });

  /** The shell of npm, or npm itself where the shell has been replaced by the server. */
  const shell = () => tree.find((pid) => /^sh -c/.test(commandOf(pid))) ?? npm.pid!;

  test.each([
    ['SIGTERM to npm', 'SIGTERM', () => npm.pid!],
    ['SIGTERM to the shell of npm', 'SIGTERM', shell],
    ['Ctrl-C', 'SIGINT', () => -npm.pid!],
    ['the end of the terminal', 'SIGHUP', () => -npm.pid!],
  ] as const)(
    'stops together with its database, in order, after %s',
    async (_, signal, receiver) => {
      process.kill(receiver(), signal);
      await until(() => tree.every((pid) => commandOf(pid) === ''), 'all processes have ended');
      expect(await accepts(port)).toBe(false);
      expect(existsSync(join(dataDir, 'postgres', 'postmaster.pid'))).toBe(false);
    },
    START_MS,
  );
});
