import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { clearLeftBehind } from '../../src/adapters/embedded-postgres/left-behind.ts';
import { locatePostgres } from '../../src/adapters/embedded-postgres/binaries.ts';
import { prepareData } from '../../src/adapters/embedded-postgres/data.ts';
import {
  type PostgresServer,
  serverArguments,
  spawnServer,
} from '../../src/adapters/embedded-postgres/server.ts';
import { unprivileged } from '../../src/adapters/os/unprivileged.ts';
import { descendants, freePort, killProcesses } from '../../tools/server-process.ts';

/** Ten or more processes share it, each with several pools; the embedded one serves a single process. */
const CONNECTIONS = 400;

/** The PostgreSQL from npm as a separate server, which stays dead until it is restarted. */
export interface Postgres {
  /** The URL for the superuser and the database `postgres`. */
  ownerUrl: string;
  port: number;
  /** The process id of the postmaster; it changes with a restart. */
  readonly pid: number;
  /** Sends SIGKILL to the postmaster and all its workers, at once. */
  kill(): Promise<void>;
  /** Starts it again on the same data and port, where it recovers. Kills it first if it runs. */
  restart(): Promise<void>;
  /** Shuts it down in order. The data remain. */
  stop(): Promise<void>;
}

/**
 * Starts it on `<dataDir>/postgres`, created on the first start. Throws with its last output when it does not
 * answer.
 */
export async function startPostgres(dataDir: string, log: Logger): Promise<Postgres> {
  // Others may enter: the server runs as another user when we are root.
  await mkdir(dataDir, { recursive: true, mode: 0o711 });
  const folder = await realpath(dataDir);
  const data = join(folder, 'postgres');
  const { initdb, postgres } = await locatePostgres();
  const as = await unprivileged(folder, data, postgres);
  const { password } = await prepareData(folder, initdb, as);
  const port = await freePort();
  const ownerUrl = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;

  async function start(): Promise<PostgresServer> {
    await clearLeftBehind(data, log);
    const settings = [...(await serverArguments(data, port)), '-c', `max_connections=${CONNECTIONS}`];
    const started = spawnServer(as.command(postgres, settings), as.identity, log);
    await started.ready(ownerUrl);
    return started;
  }
  let server = await start();

  const running: Postgres = {
    ownerUrl,
    port,
    get pid() {
      return server.pid;
    },
    async kill() {
      killProcesses([server.pid, ...descendants(server.pid)]);
      await server.exited;
    },
    async restart() {
      await running.kill();
      server = await start();
    },
    stop: () => server.stop(),
  };
  return running;
}
