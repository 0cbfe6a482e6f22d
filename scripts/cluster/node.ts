import type { Role } from '../../src/config.ts';
import { type ServerProcess, becomesReady, freePort, launchServer } from '../../tools/server-process.ts';

/** What a process does: one of the roles, or all of them. */
export type Kind = Role | 'all';

/** More than the 25 s in which a process ends by itself. */
const STOP_MS = 30_000;
/** Many start at once. */
const READY_MS = 200_000;

export interface NodeOptions {
  kind: Kind;
  /** Among those of its kind, from 0. */
  index: number;
  /** Files, which all nodes share. */
  dataDir: string;
  env: Record<string, string>;
  nodeArgs?: readonly string[] | undefined;
}

/** One process of the program, at an address that stays the same. */
export interface ClusterNode {
  kind: Kind;
  index: number;
  /** Its own address; clients take the balancer's. */
  url: string;
  port: number;
  readonly isRunning: boolean;
  /** Of the latest start. */
  readonly pid: number;
  /** What the latest start has written. */
  output(): string;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** SIGTERM, and SIGKILL when that takes longer than 30 s; answers with the exit code, null after a signal. */
  stop(): Promise<number | null>;
  /** Starts it, killed first when it runs, and waits until it is ready. Throws with its output when it does not get so far. */
  restart(): Promise<void>;
}

/** A node that has not been started yet. */
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
