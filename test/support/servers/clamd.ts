import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eicar } from '../files/corpus.ts';
import { program } from '../../../tools/debian-programs.ts';
import { until } from '../../../tools/until.ts';

export interface ClamdOptions {
  /** Settings of clamd.conf that replace those below. */
  settings?: Record<string, string>;
  /** Default: a socket in a folder of its own. */
  over?: 'tcp' | 'unix';
}

export interface Clamd {
  url: string;
  pid: number;
  /** Sends SIGTERM, and removes everything it wrote. */
  stop(): Promise<void>;
  /** Sends SIGKILL; its folder stays for `restart`. */
  kill(): Promise<void>;
  /** Starts it again at the same address, optionally with other settings. */
  restart(settings?: Record<string, string>): Promise<void>;
}

const STARTS_WITHIN_MS = 20_000;

/** The path of the program, and its environment variables. */
export function clamdCommand(): { command: string; env: NodeJS.ProcessEnv } {
  const { command, env } = program('clamd');
  return { command, env: { ...process.env, ...env } };
}

/**
 * Starts a real clamd that knows one virus, EICAR, anywhere in a file, and reports what it cannot inspect. No
 * download.
 */
export async function startClamd(options: ClamdOptions = {}): Promise<Clamd> {
  const folder = await mkdtemp(join(tmpdir(), 'clamd-'));
  const socket = join(folder, 'clamd.sock');
  const port = options.over === 'tcp' ? await freePort() : undefined;
  await writeFile(join(folder, 'eicar.ndb'), `Eicar-Test:0:*:${eicar().toString('hex')}\n`);
  let child: ChildProcess;

  async function start(settings = options.settings ?? {}): Promise<void> {
    await rm(socket, { force: true });
    const lines = {
      Foreground: 'yes',
      DatabaseDirectory: folder,
      TemporaryDirectory: folder,
      StreamMaxLength: '30M',
      AlertExceedsMax: 'yes',
      AlertEncrypted: 'yes',
      ...(port === undefined ? { LocalSocket: socket } : { TCPAddr: '127.0.0.1', TCPSocket: String(port) }),
      ...settings,
    };
    const config = join(folder, 'clamd.conf');
    await writeFile(
      config,
      Object.entries(lines)
        .map((line) => `${line.join(' ')}\n`)
        .join(''),
    );
    const { command, env } = clamdCommand();
    let output = '';
    child = spawn(command, ['--config-file', config], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    child.on('error', (err) => (output += String(err)));
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text) => (output += String(text)));
    await until(
      () => isListening(port === undefined ? { path: socket } : { port }),
      'clamd listens',
      STARTS_WITHIN_MS,
    ).catch((err: unknown) => {
      child.kill('SIGKILL');
      throw new Error(`clamd does not start:\n${output}`, { cause: err });
    });
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await exited;
  }

  await start();
  return {
    url: port === undefined ? `unix://${socket}` : `tcp://127.0.0.1:${port}`,
    get pid() {
      return child.pid!;
    },
    async stop() {
      await end('SIGTERM');
      await rm(folder, { recursive: true, force: true });
    },
    kill: () => end('SIGKILL'),
    restart: start,
  };
}

function isListening(address: { path: string } | { port: number }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(address);
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
