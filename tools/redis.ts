import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis as Client } from 'ioredis';
import { pino } from 'pino';
import { type RedisLinks, openRedis } from '../src/adapters/redis/links.ts';
import { program } from './debian-programs.ts';
import { freePort } from './server-process.ts';
import { until } from './until.ts';

const START_MS = 10_000;

export interface Redis {
  url: string;
  /** It changes with a restart. */
  readonly pid: number;
  /** Sends SIGKILL. All data is lost. */
  kill(): Promise<void>;
  /** Starts it again on the same port, empty. Kills it first if it runs. */
  restart(): Promise<void>;
  /** Makes it accept connections without answering for that many milliseconds. */
  pause(ms: number): Promise<void>;
  /** Makes it accept connections without answering until the returned function is called, or it is killed. */
  hang(): () => void;
  /** Deletes all keys. */
  flush(): Promise<void>;
  /** Sends any command. Resolves with the answer. */
  ask(command: string, ...args: string[]): Promise<unknown>;
  stop(): Promise<void>;
}

/** Starts a separate Redis on a free loopback port. It keeps nothing on disk. */
export async function startRedis(): Promise<Redis> {
  const folder = await mkdtemp(join(tmpdir(), 'chat-redis-'));
  const port = await freePort();
  const { command, env } = program('redis-server');
  const settings = { bind: '127.0.0.1', port, dir: folder, save: '', appendonly: 'no' };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  let server: ChildProcess | undefined;

  async function start(): Promise<void> {
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: 'ignore' });
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

  const redis: Redis = {
    url: `redis://127.0.0.1:${port}`,
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
    async pause(ms) {
      await redis.ask('CLIENT', 'PAUSE', String(ms), 'ALL');
    },
    hang() {
      server?.kill('SIGSTOP');
      return () => void server?.kill('SIGCONT');
    },
    async flush() {
      await redis.ask('FLUSHALL');
    },
    async ask(name, ...rest) {
      const client = new Client(port, '127.0.0.1', {
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
