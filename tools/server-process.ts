import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const ROOT = join(import.meta.dirname, '..');
/** The start command of the program, with the options of Node that limit its memory. */
const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  scripts: { start: string };
};
const [, ...START] = scripts.start.split(' ');
const LAST_WORDS_MS = 500;
/** Node's compile cache. It shortens a start by a third. */
const COMPILED = join(ROOT, '.cache/compiled');

export interface ServerOptions {
  /** Default: a new folder in the system's temporary folder. */
  dataDir?: string;
  /** Default 0: any free port. */
  port?: number;
  /** Added to the few variables that a process needs. Nothing else of this process's environment is passed on. */
  env?: Record<string, string>;
  /** Options of Node itself, such as `--cpu-prof`, in addition to those of `npm start`. */
  nodeArgs?: string[];
  /** A command that is given the program's, and becomes its process, such as `unshare`. */
  within?: string[];
  /** The file to run, relative to the project's root. */
  entry?: string;
  /** Default: 90 s, for a machine that runs other tests as well. */
  readyWithinMs?: number;
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface ServerProcess {
  /** Empty until the server listens. */
  url: string;
  dataDir: string;
  pid: number;
  exited: Promise<Exit>;
  /** Returns everything that the server has written so far. */
  output(): string;
  /** Stops reading the server's output. */
  stopReading(): void;
  /** Returns the process id of the embedded PostgreSQL; undefined when there is none. */
  databasePid(): number | undefined;
  /** Sends SIGKILL to the process and to PostgreSQL with all its workers, at once. */
  killTree(): Promise<void>;
  /** Sends SIGKILL to the process only. PostgreSQL is left behind. */
  killProcess(): Promise<void>;
  /** Sends SIGTERM. Resolves with the exit. */
  stop(): Promise<Exit>;
}

/** Starts the program without waiting, for starts that are expected to fail. */
export function launchServer(options: ServerOptions = {}): ServerProcess {
  const { dataDir = mkdtempSync(join(tmpdir(), 'chat-server-')), port = 0, entry = START.at(-1)! } = options;
  const { PATH = '', HOME = '', TMPDIR = tmpdir() } = process.env;
  const command = [...START.slice(0, -1), ...(options.nodeArgs ?? []), entry];
  const [program, ...args] = [...(options.within ?? []), process.execPath, ...command];
  const child = spawn(program!, args, {
    cwd: ROOT,
    env: {
      ...{ PATH, HOME, TMPDIR, NODE_COMPILE_CACHE: COMPILED, MALLOC_ARENA_MAX: '2' },
      ...{ DATA_DIR: dataDir, PORT: String(port), LOG_LEVEL: 'info' },
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  return observe(child, dataDir);
}

/** Starts the program and waits until it is ready. Throws with its output when it stops or takes too long. */
export async function startServer(options: ServerOptions = {}): Promise<ServerProcess> {
  const server = launchServer(options);
  await becomesReady(server, options.readyWithinMs);
  return server;
}

/** Waits until a launched program is ready. Kills it, and throws with its output, when it stops or takes too long. */
export async function becomesReady(server: ServerProcess, withinMs = 90_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  let exit: Exit | undefined;
  void server.exited.then((ended) => (exit = ended));
  while (!(await isReady(server.url))) {
    if (exit || Date.now() > deadline) {
      if (!exit) await server.killTree();
      throw new Error(`the server ${exit ? 'stopped' : 'is not ready'}:\n${server.output().slice(-4_000)}`);
    }
    await pause(20);
  }
}

/** Resolves with true if the program at this address reports that it is ready. */
export async function isReady(url: string): Promise<boolean> {
  if (url === '') return false;
  const response = await fetch(new URL('/health/ready', url)).catch(() => undefined);
  await response?.arrayBuffer();
  return response?.ok ?? false;
}

function observe(child: ChildProcess, dataDir: string): ServerProcess {
  let output = '';
  const take = (chunk: string) => {
    output += chunk;
    if (server.url === '') server.url = addressIn(output) ?? '';
  };
  child.stdout?.setEncoding('utf8').on('data', take);
  child.stderr?.setEncoding('utf8').on('data', take);
  const exited = new Promise<Exit>((resolve) =>
    child.once('exit', (code, signal) => {
      // The last output may still be on its way, or may never end if a child of the process holds the pipe.
      const ended = () => resolve({ code, signal });
      child.once('close', ended);
      setTimeout(ended, LAST_WORDS_MS).unref();
    }),
  );
  const databasePid = () => {
    try {
      return Number(readFileSync(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0]);
    } catch {
      return undefined;
    }
  };
  const server: ServerProcess = {
    url: '',
    dataDir,
    pid: child.pid ?? 0,
    exited,
    output: () => output,
    stopReading: () => void child.stdout?.pause(),
    databasePid,
    killTree: async () => {
      const database = databasePid();
      const tree = [server.pid, ...(database === undefined ? [] : [database])];
      killProcesses([...tree, ...tree.flatMap(descendants)]);
      await exited;
    },
    killProcess: async () => {
      killProcesses([server.pid]);
      await exited;
    },
    stop: async () => {
      child.kill('SIGTERM');
      return exited;
    },
  };
  return server;
}

/** Ports that were returned before. A caller that asks for several has not begun to listen on the first yet. */
const givenPorts = new Set<number>();

/**
 * Returns a free port that a restarted server can use again. It is below the range that the system gives to
 * clients, so that none of the many reconnecting clients occupies it. No port is returned twice.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    if (givenPorts.has(port)) continue;
    givenPorts.add(port);
    const isFree = await new Promise<boolean>((resolve) => {
      const probe = createServer().once('error', () => resolve(false));
      probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}

/** Resolves with true if a process listens on a port of the loopback interface. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const answer = (does: boolean) => {
      socket.destroy();
      resolve(does);
    };
    socket.once('connect', () => answer(true)).once('error', () => answer(false));
  });
}

/** Returns the URL from the log line about listening; undefined without one. */
function addressIn(output: string): string | undefined {
  const line = output.split('\n').find((text) => text.includes('"listening"'));
  return line && /"url":"(http[^"]+)"/.exec(line)?.[1];
}

/** Sends SIGKILL to each process. Processes that are gone already are ignored. */
export function killProcesses(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/**
 * Returns all processes below one, from Linux's process table. Returns none on other systems, where
 * PostgreSQL's workers end by themselves.
 */
export function descendants(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const entry of processIds()) {
    const parent = parentOf(entry);
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), entry]);
  }
  const below = (id: number): number[] =>
    (children.get(id) ?? []).flatMap((child) => [child, ...below(child)]);
  return below(pid);
}

function processIds(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

function parentOf(pid: number): number | undefined {
  try {
    // "pid (name) state ppid …". The name may contain anything, so the fields are counted from its last
    // bracket.
    return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[1]);
  } catch {
    return undefined;
  }
}
