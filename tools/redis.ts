import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis as Client } from 'ioredis';
import { pino } from 'pino';
import { type RedisLinks, openRedis } from '../src/adapters/redis/links.ts';
import { program } from './debian-programs.ts';
import { freePort } from './server-process.ts';
import { until } from './until.ts';

const START_MS = 10_000;
const SOCKET = 'redis.sock';

/** A process of `redis-server`, as a store or as a sentinel. */
export interface RedisProcess {
  port: number;
  /** It changes with a restart. */
  readonly pid: number;
  /** Sends SIGKILL. All data is lost. */
  kill(): Promise<void>;
  /** Starts it again on the same port, empty. Kills it first if it runs. */
  restart(): Promise<void>;
  /** Makes it accept connections without answering until the returned function is called, or it is killed. */
  hang(): () => void;
  /** Sends any command. Resolves with the answer. */
  ask(command: string, ...args: string[]): Promise<unknown>;
  stop(): Promise<void>;
}

export interface Redis extends RedisProcess {
  url: string;
  /** The folder in which it writes its dump. */
  folder: string;
  /** The path of its Unix socket. */
  socket: string;
  password: string | undefined;
  /** The port with TLS; undefined without a certificate. */
  tlsPort: number | undefined;
  /** Makes it accept connections without answering for that many milliseconds. */
  pause(ms: number): Promise<void>;
  /** Deletes all keys. */
  flush(): Promise<void>;
}

interface RedisOptions {
  /** The password that it requires, and gives its primary. */
  password?: string;
  /** The primary that it copies. */
  primary?: Redis;
  /** A certificate and its key in PEM: it has a port with TLS as well. */
  tls?: { certificate: string; key: string };
}

/** Starts a separate Redis on a free loopback port and a Unix socket. It keeps nothing on disk. */
export async function startRedis({ password, primary, tls }: RedisOptions = {}): Promise<Redis> {
  const tlsPort = tls && (await freePort());
  const server = await startProcess({
    password,
    args: async ({ port, folder }) => [
      ...['--bind', '127.0.0.1', '--port', String(port), '--dir', folder],
      ...['--unixsocket', join(folder, SOCKET), '--save', '', '--appendonly', 'no'],
      ...(password === undefined ? [] : ['--requirepass', password, '--masterauth', password]),
      ...(primary ? ['--replicaof', '127.0.0.1', String(primary.port)] : []),
      ...(tls ? await tlsArguments(folder, tlsPort!, tls) : []),
    ],
  });
  const credentials = password === undefined ? '' : `:${encodeURIComponent(password)}@`;
  return Object.assign(server, {
    url: `redis://${credentials}127.0.0.1:${server.port}`,
    socket: join(server.folder, SOCKET),
    password,
    tlsPort,
    async pause(ms: number) {
      await server.ask('CLIENT', 'PAUSE', String(ms), 'ALL');
    },
    async flush() {
      await server.ask('FLUSHALL');
    },
  });
}

async function tlsArguments(
  folder: string,
  port: number,
  { certificate, key }: NonNullable<RedisOptions['tls']>,
): Promise<string[]> {
  const [certificateFile, keyFile] = [join(folder, 'redis.crt'), join(folder, 'redis.key')];
  await writeFile(certificateFile, certificate);
  await writeFile(keyFile, key);
  return [
    ...['--tls-port', String(port), '--tls-auth-clients', 'no'],
    ...['--tls-cert-file', certificateFile, '--tls-key-file', keyFile, '--tls-ca-cert-file', certificateFile],
  ];
}

/**
 * Starts a sentinel of the group `name` on a free loopback port. It is alone enough to count the primary as
 * down, after 0.5 s.
 */
export function startSentinel({ name, primary }: { name: string; primary: Redis }): Promise<RedisProcess> {
  return startProcess({
    password: undefined,
    async args({ port, folder }) {
      // Sentinels write what they learn into their file.
      const file = join(folder, 'sentinel.conf');
      const lines = [
        ...['bind 127.0.0.1', `port ${port}`, `dir "${folder}"`],
        `sentinel monitor ${name} 127.0.0.1 ${primary.port} 1`,
        ...(primary.password === undefined ? [] : [`sentinel auth-pass ${name} ${primary.password}`]),
        `sentinel down-after-milliseconds ${name} 500`,
        `sentinel failover-timeout ${name} 2000`,
      ];
      await writeFile(file, `${lines.join('\n')}\n`);
      return [file, '--sentinel'];
    },
  });
}

interface Place {
  port: number;
  folder: string;
}

/** Starts `redis-server` with these arguments. Resolves once it answers. */
async function startProcess({
  password,
  args,
}: {
  password: string | undefined;
  args: (place: Place) => string[] | Promise<string[]>;
}): Promise<RedisProcess & Place> {
  const folder = await mkdtemp(join(tmpdir(), 'chat-redis-'));
  const port = await freePort();
  const { command, env } = program('redis-server');
  let server: ChildProcess | undefined;

  async function start(): Promise<void> {
    const child = spawn(command, await args({ port, folder }), {
      env: { ...process.env, ...env },
      stdio: 'ignore',
    });
    server = child;
    await until(
      async () => {
        if (hasEnded(child)) throw new Error('redis-server ended');
        return redis.ask('PING').then(
          (answer) => answer === 'PONG',
          () => false,
        );
      },
      'Redis answers',
      START_MS,
    );
  }
  // Leaves no process behind when a test run is interrupted.
  const killServer = () => void server?.kill('SIGKILL');
  process.once('exit', killServer);

  const redis: RedisProcess & Place = {
    port,
    folder,
    get pid() {
      return server?.pid ?? 0;
    },
    async kill() {
      if (!server || hasEnded(server)) return;
      const exited = once(server, 'exit');
      server.kill('SIGKILL');
      await exited;
    },
    async restart() {
      await redis.kill();
      await start();
    },
    hang() {
      server?.kill('SIGSTOP');
      return () => void server?.kill('SIGCONT');
    },
    async ask(name, ...rest) {
      const client = new Client(port, '127.0.0.1', {
        ...(password !== undefined && { password }),
        lazyConnect: true,
        retryStrategy: () => null,
        maxRetriesPerRequest: 0,
        disconnectTimeout: 100,
      });
      // The call that rejects reports the error.
      client.on('error', () => undefined);
      try {
        await client.connect();
        return await client.call(name, rest);
      } finally {
        client.disconnect();
      }
    },
    async stop() {
      await redis.kill();
      process.off('exit', killServer);
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  try {
    await start();
  } catch (error) {
    await redis.stop();
    throw error;
  }
  return redis;
}

/** Opens a process's links to Redis. Resolves once they are usable. */
export async function linksTo(url: string, log = pino({ level: 'silent' })): Promise<RedisLinks> {
  const links = openRedis({ url, log });
  await until(() => links.failure() === undefined, 'Redis is in reach');
  return links;
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess) => exitCode !== null || signalCode !== null;
