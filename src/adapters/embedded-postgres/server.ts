import { spawn } from 'node:child_process';
import { statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from 'pino';

const READY_MS = 30_000;
/**
 * Time for a fast shutdown, which writes a checkpoint, before the immediate one, which recovers at the next
 * start.
 */
const STOP_MS = 10_000;
/** Number of output lines kept, to report why it did not start. */
const LAST_LINES = 8;

/** One running server process. */
export interface PostgresServer {
  pid: number;
  /** Resolves when the process is gone, with its signal or exit code. */
  exited: Promise<string>;
  /** Resolves when the server answers a query. Throws with its last lines when it ends first, or after 30 s. */
  ready(url: string): Promise<void>;
  /** Resolves once the process is gone. */
  stop(): Promise<void>;
}

/** Starts the server in a process group of its own, so that a Ctrl-C on the terminal does not reach it. */
export function spawnServer(
  [program, args]: [program: string, args: string[]],
  identity: { uid?: number; gid?: number },
  log: Logger,
): PostgresServer {
  const child = spawn(program, args, {
    ...identity,
    cwd: '/',
    detached: true,
    env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', TZ: 'UTC' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  child.unref();
  (child.stderr as unknown as { unref(): void }).unref();

  let isReady = false;
  const lastLines: string[] = [];
  createInterface(child.stderr).on('line', (line) => {
    lastLines.push(line);
    if (lastLines.length > LAST_LINES) lastLines.shift();
    // Until it is ready, it refuses each connection attempt with a FATAL.
    const isGrave = isReady && /^(WARNING|ERROR|FATAL|PANIC):/.test(line);
    log[isGrave ? 'warn' : 'debug']({ postgres: line }, 'PostgreSQL says');
  });

  let isGone = false;
  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(signal ?? `code ${code}`));
  });
  const leaveNothingBehind = () => child.kill('SIGINT');
  process.once('exit', leaveNothingBehind);
  void exited.then(() => {
    isGone = true;
    process.off('exit', leaveNothingBehind);
  });

  return {
    pid: child.pid ?? 0,
    exited,
    async ready(url) {
      const deadline = Date.now() + READY_MS;
      while (!(await answers(url))) {
        if (isGone) throw new Error(`it ended with ${await exited}: ${lastLines.join(' ')}`);
        if (Date.now() > deadline) {
          child.kill('SIGQUIT');
          throw new Error(`no answer within ${READY_MS / 1000} s: ${lastLines.join(' ')}`);
        }
        await pause(15);
      }
      isReady = true;
    },
    async stop() {
      child.ref();
      child.kill('SIGINT');
      const impatience = setTimeout(() => {
        log.warn({ pid: child.pid }, 'PostgreSQL takes too long to stop; stopping it immediately');
        child.kill('SIGQUIT');
      }, STOP_MS);
      await exited;
      clearTimeout(impatience);
    },
  };
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000, ssl: false });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('select 1');
    return true;
  } catch (error) {
    // Retrying does not make a wrong password right.
    if ((error as { code?: string }).code === '28P01') throw error;
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Returns the arguments of a server that only this machine can reach, and that keeps what it acknowledged. */
export async function serverArguments(data: string, port: number): Promise<string[]> {
  const settings = [
    'listen_addresses=127.0.0.1',
    `port=${port}`,
    'unix_socket_directories=',
    // A process with all roles has several dozens, and scripts run beside it.
    'max_connections=200',
    'fsync=on',
    'synchronous_commit=on',
    'wal_compression=on',
    'max_wal_size=2GB',
    // A recycled file would keep erased text until it is full again.
    'wal_recycle=off',
    'checkpoint_timeout=15min',
    'shared_buffers=256MB',
    'maintenance_work_mem=256MB',
    'jit=off',
    'timezone=UTC',
    'log_timezone=UTC',
    // Statements and details contain personal data.
    'log_line_prefix=',
    'log_error_verbosity=terse',
    'log_min_error_statement=panic',
    'logging_collector=off',
    'log_destination=stderr',
    ...((await isSharedMemorySmall()) ? ['dynamic_shared_memory_type=mmap'] : []),
  ];
  return ['-D', data, ...settings.flatMap((setting) => ['-c', setting])];
}

/** Containers give /dev/shm 64 MB, which one parallel query can fill. */
async function isSharedMemorySmall(): Promise<boolean> {
  const shm = await statfs('/dev/shm').catch(() => undefined);
  return shm !== undefined && shm.blocks * shm.bsize < 256 * 1024 * 1024;
}

/** Resolves with a free port of the loopback interface. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
