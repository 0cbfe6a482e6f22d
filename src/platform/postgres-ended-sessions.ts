import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from 'pino';

const RECONNECT_MS = 1_000;

/**
 * Calls back for every `session_revoked` notification until the signal aborts, over a connection of its own, made
 * anew when it breaks. Resolves once it has ended; never rejects. What is said while it is down is missed.
 */
export async function listenForEndedSessions({
  url,
  log,
  onEnded,
  signal,
}: {
  url: string;
  log: Logger;
  onEnded: (sessionId: string) => void;
  signal: AbortSignal;
}): Promise<void> {
  while (!signal.aborted) {
    const client = new pg.Client({
      connectionString: url,
      application_name: 'ended-sessions',
      connectionTimeoutMillis: 3_000,
      keepAlive: true,
    });
    const end = () => void client.end().catch(() => {});
    client.on('notification', ({ payload }) => payload && onEnded(payload));
    client.on('error', (error) => log.warn({ err: error }, 'no longer told of ended sessions'));
    const ended = once(client, 'end');
    ended.catch(() => {});
    try {
      await client.connect();
      signal.addEventListener('abort', end, { once: true });
      await client.query('listen session_revoked');
      if (signal.aborted) end();
      await ended;
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error }, 'not told of ended sessions');
      end();
    } finally {
      signal.removeEventListener('abort', end);
    }
    await pause(RECONNECT_MS, undefined, { signal }).catch(() => {});
  }
}
