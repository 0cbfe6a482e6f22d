import type { Logger } from 'pino';
import { backOffMs, sleep } from '../../kit/back-off.ts';
import { Client } from './client.ts';
import { withSession } from './connection.ts';

/** Idle time before the first probe. Node sends ten, a second apart, before the connection counts as lost. */
const KEEP_ALIVE_AFTER_MS = 10_000;
const BACK_OFF_MS = { first: 100, most: 5_000 };

/**
 * Listens to a channel on a connection of its own, which is reopened whenever it breaks, until the signal
 * aborts. Never rejects. Notifications sent while it is down are missed; `onConnected` says that this may
 * have happened.
 */
export async function listen(options: {
  url: string;
  channel: string;
  applicationName: string;
  log: Logger;
  onConnected?: () => void;
  /** `backend` is the process id of the notifying backend. */
  onNotification: (payload: string, backend: number) => void;
  signal: AbortSignal;
}): Promise<void> {
  const { url, channel, applicationName, log, onConnected, onNotification, signal } = options;
  for (let failures = 0; !signal.aborted; failures += 1) {
    const client = new Client({
      connectionString: withSession(url, {}),
      application_name: applicationName,
      connectionTimeoutMillis: 3_000,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
    });
    const stop = () => void client.end().catch(() => undefined);
    signal.addEventListener('abort', stop);
    const ended = new Promise<void>((resolve) => client.once('end', resolve));
    client.on('error', (err) => log.warn({ err, channel }, 'notifications are lost: polling goes on'));
    client.on('notification', ({ processId, payload = '' }) => onNotification(payload, processId));
    try {
      await client.connect();
      await client.query(`listen ${channel}`);
      failures = 0;
      onConnected?.();
      await ended;
    } catch (err) {
      if (!signal.aborted) log.warn({ err, channel }, 'cannot listen for notifications; polling continues');
      stop();
    }
    signal.removeEventListener('abort', stop);
    await sleep(backOffMs(BACK_OFF_MS, failures), signal);
  }
}
