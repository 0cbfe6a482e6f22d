import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from 'pino';
import type { Position } from '../events/event-store.ts';
import { withSession } from './postgres.ts';

const BACK_OFF_MS = [100, 500, 1_000, 2_000, 5_000];

/**
 * Hears of what any process appends, on a connection of its own that is made again whenever it breaks, until the signal
 * aborts. After each (new) connection `hear` is called with Infinity: anything may have been missed.
 */
export async function listen(options: {
  url: string;
  role: string;
  log: Logger;
  hear: (position: Position) => void;
  /** What this process appended itself was handed over already: a notification of it would only cause a read. */
  isOwn: (backend: number) => boolean;
  signal: AbortSignal;
}): Promise<void> {
  const { url, role, log, hear, isOwn, signal } = options;
  for (let failures = 0; !signal.aborted; failures += 1) {
    const client = new pg.Client({
      connectionString: withSession(url, { role }),
      application_name: 'event log notifications',
      connectionTimeoutMillis: 3_000,
      keepAlive: true,
    });
    const stop = () => void client.end().catch(() => undefined);
    signal.addEventListener('abort', stop);
    const ended = new Promise<void>((resolve) => client.once('end', resolve));
    client.on('error', (error) =>
      log.warn({ err: error }, 'notifications of the log are lost: polling goes on'),
    );
    client.on('notification', ({ processId, payload }) => {
      if (!isOwn(processId)) hear(Number(payload));
    });
    try {
      await client.connect();
      await client.query('listen event_log');
      failures = 0;
      hear(Infinity);
      await ended;
    } catch (error) {
      if (!signal.aborted)
        log.warn({ err: error }, 'notifications of the log are out of reach: polling goes on');
      stop();
    }
    signal.removeEventListener('abort', stop);
    const delay = BACK_OFF_MS[Math.min(failures, BACK_OFF_MS.length - 1)];
    await pause(delay, undefined, { signal }).catch(() => undefined);
  }
}
