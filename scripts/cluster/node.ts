import type { Role } from '../../src/config.ts';
import { type ServerProcess, becomesReady, freePort, launchServer } from '../../tools/server-process.ts';

/** The kind of a process: one of the roles, or all of them. */
export type Kind = Role | 'all';

/** More than the 25 s in which a process stops by itself. */
const STOP_MS = 30_000;
/** Many processes start at once. */
const READY_MS = 200_000;

export interface NodeOptions {
  kind: Kind;
  /** The index among the nodes of its kind, from 0. */
  index: number;
  /** The folder for files, shared by all nodes. */
  dataDir: string;
  env: Record<string, string>;
  nodeArgs?: readonly string[] | undefined;
}

/** One process of the program, at a fixed address. */
export interface ClusterNode {
  kind: Kind;
  index: number;
  /** Its own URL; clients use the balancer's. */
  url: string;
  port: number;
  readonly isRunning: boolean;
  /** The process id since the latest start. */
  readonly pid: number;
  /** Returns the output since the latest start. */
  output(): string;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Sends SIGTERM, and SIGKILL after 30 s. Returns the exit code, null after a signal. */
  stop(): Promise<number | null>;
  /**
   * Starts it, after killing it if it runs, and waits until it is ready. Throws with its output when it
   * fails.
   */
  restart(): Promise<void>;
}

/** Makes a node that is not started yet. */
export async function prepareNode({
  kind,
  index,
  dataDir,
  env,
  nodeArgs = [],
}: NodeOptions): Promise<ClusterNode> {
  const port = await freePort();
  let server: ServerProcess | undefined;
  let isRunning = false;

  const node: ClusterNode = {
    kind,
    index,
    url: `http://127.0.0.1:${port}`,
    port,
    get isRunning() {
      return isRunning;
    },
    get pid() {
      return server?.pid ?? 0;
    },
    output: () => server?.output() ?? '',
    async kill() {
      if (isRunning) await server?.killProcess();
    },
    async stop() {
      if (!server) return null;
      const impatience = setTimeout(() => void node.kill(), STOP_MS);
      const { code } = isRunning ? await server.stop() : await server.exited;
      clearTimeout(impatience);
      return code;
    },
    async restart() {
      await node.kill();
      const roles = kind === 'all' ? {} : { ROLES: kind };
      const started = launchServer({ port, dataDir, nodeArgs: [...nodeArgs], env: { ...roles, ...env } });
      server = started;
      isRunning = true;
      void started.exited.then(() => (isRunning &&= server !== started));
      await becomesReady(started, READY_MS).catch((error: Error) => {
        throw new Error(`${kind} ${index}: ${error.message}`, { cause: error });
      });
    },
  };
  return node;
}
