import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { clearLeftBehind } from './left-behind.ts';
import { locatePostgres } from './binaries.ts';
import { prepareData } from './data.ts';
import { freePort, type PostgresServer, serverArguments, spawnServer } from './server.ts';
import { unprivileged } from '../os/unprivileged.ts';

/** Orphans of a killed server finish their statements before they notice, and hold its shared memory until then. */
const ORPHANS_MS = 10_000;
const RESTART_AFTER_MS = [0, 200, 1_000, 5_000];

/** An embedded PostgreSQL, reachable on the loopback interface only, with a random password. */
export interface EmbeddedPostgres {
  /** The URL of the superuser `postgres` and the database `postgres`. */
  ownerUrl: string;
  port: number;
  /** Changes when PostgreSQL dies and is restarted. */
  readonly pid: number;
  /** Shuts PostgreSQL down cleanly; open connections are cut. Resolves once the process is gone. */
  stop(): Promise<void>;
}

/**
 * Starts the PostgreSQL installed by npm on `<dataDir>/postgres`, which is made at the first start. A
 * PostgreSQL that dies is restarted on the same port, without end. The caller holds the lock of the data
 * folder. Throws with PostgreSQL's last log lines when it does not answer within 30 s.
 */
export async function startEmbeddedPostgres(options: {
  dataDir: string;
  log: Logger;
}): Promise<EmbeddedPostgres> {
  const { log } = options;
  // Other users may pass through: as root, the server runs as another user.
  await mkdir(options.dataDir, { recursive: true, mode: 0o711 });
  const dataDir = await realpath(options.dataDir);
  const data = join(dataDir, 'postgres');
  const { initdb, postgres } = await locatePostgres();
  const as = await unprivileged(dataDir, data, postgres);
  const { password } = await prepareData(dataDir, initdb, as);
  const urlAt = (port: number) => `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
  const stopping = new AbortController();

  async function start(
    choosePort: () => number | Promise<number>,
  ): Promise<{ server: PostgresServer; port: number }> {
    const deadline = Date.now() + ORPHANS_MS;
    for (;;) {
      stopping.signal.throwIfAborted();
      await clearLeftBehind(data, log);
      const port = await choosePort();
      const server = spawnServer(as.command(postgres, await serverArguments(data, port)), as.identity, log);
      const stopEarly = () => void server.stop();
      stopping.signal.addEventListener('abort', stopEarly);
      try {
        await server.ready(urlAt(port));
        return { server, port };
      } catch (error) {
        await server.stop();
        const willPass = /pre-existing shared memory block|Address already in use/.test(String(error));
        if (!willPass || Date.now() > deadline) throw startFailure(error);
        await pause(100);
      } finally {
        stopping.signal.removeEventListener('abort', stopEarly);
      }
    }
  }

  let { server, port } = await start(freePort);

  async function supervise(): Promise<void> {
    for (let failures = 0; ;) {
      const end = await server.exited;
      if (stopping.signal.aborted) return;
      log.error({ end }, 'PostgreSQL has exited; restarting it');
      const wait = RESTART_AFTER_MS[Math.min(failures, RESTART_AFTER_MS.length - 1)];
      try {
        await pause(wait, undefined, { signal: stopping.signal });
        ({ server } = await start(() => port));
        failures = 0;
        log.warn({ pid: server.pid }, 'PostgreSQL is running again');
        // The stop came while it was becoming ready.
        if (stopping.signal.aborted) await server.stop();
      } catch (error) {
        failures += 1;
        if (!stopping.signal.aborted) log.error({ err: error }, 'could not restart PostgreSQL; retrying');
      }
    }
  }
  const supervised = supervise();

  return {
    ownerUrl: urlAt(port),
    port,
    get pid() {
      return server.pid;
    },
    async stop() {
      stopping.abort();
      await server.stop();
      await supervised;
    },
  };
}

const startFailure = (cause: unknown) =>
  new Error(`PostgreSQL did not start: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
