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
  /** Another one after a restart. */
  readonly pid: number;
  /** SIGKILL: everything in it is gone. */
  kill(): Promise<void>;
  /** Starts it again at the same port, empty; kills it first when it runs. */
  restart(): Promise<void>;
  /** For so many milliseconds it takes connections and answers nothing. */
  pause(ms: number): Promise<void>;
  /** It takes connections and answers nothing until the returned function is called, or it is killed. */
  hang(): () => void;
  /** Forgets all keys. */
  flush(): Promise<void>;
  /** Any command, as an operator would type it; resolves with the answer. */
  ask(command: string, ...args: string[]): Promise<unknown>;
  /** Ends it. */
  stop(): Promise<void>;
}

/** A Redis of its own on a loopback port that was free. It keeps nothing on disk. */
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
  // Where a test run is cut short, nothing of it goes on.
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
      // Told by the call that rejects.
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

/** A process's links to Redis, once they stand. */
export async function linksTo(url: string, log = pino({ level: 'silent' })): Promise<RedisLinks> {
  const links = openRedis({ url, log });
  await until(() => links.failure() === undefined, 'Redis is in reach');
  return links;
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess) => exitCode !== null || signalCode !== null;
