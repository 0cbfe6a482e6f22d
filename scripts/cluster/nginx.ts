import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { program } from '../../tools/debian-programs.ts';
import { accepts, freePort } from '../../tools/server-process.ts';
import { until } from '../../tools/until.ts';

/** The production configuration, of which this one uses everything but addresses and paths. */
export const NGINX_FOLDER = join(import.meta.dirname, '../../deploy/nginx');
const START_MS = 10_000;

export interface NginxOptions {
  /** The ports of the api nodes on this machine. */
  nodes: readonly number[];
  /** Default: a free port. */
  port?: number;
  /** Networks without limits. Default: this machine. */
  unlimited?: readonly string[];
  /** Balancers whose X-Forwarded-For is trusted. Default: none. */
  trusted?: readonly string[];
  /** The `server` blocks. Default: plain HTTP on the port. */
  servers?: string;
}

export interface Nginx {
  url: string;
  /** The process id of the master; its workers are its children. */
  readonly pid: number;
  /** Returns the error log so far. */
  output(): string;
  /** Returns the lines of the access log so far, each of which is JSON. */
  accessLog(): Promise<string>;
  /** Sends SIGKILL to the master and its workers. */
  kill(): Promise<void>;
  /** Starts it again on the same port. Kills it first if it runs. */
  restart(): Promise<void>;
  /** Stops it and removes its files. */
  stop(): Promise<void>;
}

/**
 * Starts the real NGINX with the files of deploy/nginx, on a loopback port. Throws with its output when it
 * does not start.
 */
export async function startNginx(options: NginxOptions): Promise<Nginx> {
  const { port = await freePort() } = options;
  const folder = await mkdtemp(join(tmpdir(), 'chat-nginx-'));
  await symlink(join(NGINX_FOLDER, 'chat'), join(folder, 'chat'));
  await writeFile(join(folder, 'nginx.conf'), await configuration(folder, { ...options, port }));

  const { command, env } = program('nginx');
  let master: ChildProcess | undefined;
  let output = '';
  async function start(): Promise<void> {
    const args = ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr'];
    // A process group of its own, so that its workers end with it, and Ctrl-C does not stop it before us.
    const child = spawn(command, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    });
    master = child;
    child.stderr
      .setEncoding('utf8')
      .on('data', (chunk: string) => (output = (output + chunk).slice(-10_000)));
    const isUp = async () => {
      if (hasEnded(child)) throw new Error(`nginx ended:\n${output}`);
      return accepts(port);
    };
    await until(isUp, 'nginx listens', START_MS);
  }
  const killGroup = () => {
    if (master?.pid === undefined || hasEnded(master)) return;
    process.kill(-master.pid, 'SIGKILL');
  };
  process.once('exit', killGroup);

  const nginx: Nginx = {
    url: `http://127.0.0.1:${port}`,
    get pid() {
      return master?.pid ?? 0;
    },
    output: () => output,
    accessLog: () => readFile(join(folder, 'access.log'), 'utf8'),
    async kill() {
      if (!master || hasEnded(master)) return;
      const exited = once(master, 'exit');
      killGroup();
      await exited;
      // The workers hold the port a little longer than their master, which would block the next start.
      await until(async () => !(await accepts(port)), 'the workers of nginx have ended', START_MS);
    },
    async restart() {
      await nginx.kill();
      await start();
    },
    async stop() {
      await nginx.kill();
      process.off('exit', killGroup);
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  try {
    await start();
  } catch (error) {
    await nginx.stop();
    throw error;
  }
  return nginx;
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess) => exitCode !== null || signalCode !== null;

/**
 * The replacement of nginx.conf, addresses.conf, upstream.conf and conf.d, with the addresses and paths of
 * this machine.
 */
async function configuration(folder: string, { nodes, port, ...options }: NginxOptions & { port: number }) {
  const { unlimited = ['127.0.0.0/8'], trusted = [] } = options;
  const { servers = `server { listen 127.0.0.1:${port}; include chat/server.conf; }` } = options;
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `
daemon off;
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes 2;
pid ${folder}/pid;
error_log stderr warn;
events { worker_connections 4096; }
http {
  ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n  ')}
  include chat/http.conf;
  access_log ${folder}/access.log chat;
  ${trusted.map((network) => `set_real_ip_from ${network};`).join('\n  ')}
  real_ip_header X-Forwarded-For;
  real_ip_recursive on;
  geo $chat_unlimited {
    default 0;
    ${unlimited.map((network) => `${network} 1;`).join('\n    ')}
  }
  ${await upstream(nodes)}
  ${servers}
}
`;
}

/** The production file, with each pair of its lines for nodes replaced by the existing nodes. */
async function upstream(nodes: readonly number[]): Promise<string> {
  const production = await readFile(join(NGINX_FOLDER, 'upstream.conf'), 'utf8');
  const lines = production.split('\n').filter((line) => !line.includes('server api-2:'));
  return lines
    .flatMap((line) =>
      line.includes('server api-1:3000')
        ? nodes.map((port) => line.replace('api-1:3000', `127.0.0.1:${port}`))
        : [line],
    )
    .join('\n');
}
