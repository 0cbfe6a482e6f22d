import type pg from 'pg';
import type { Logger } from 'pino';
import type { Claims } from '../../../files/claims.ts';
import { Client } from '../client.ts';
import { withSession } from '../connection.ts';

/**
 * The first number of our locks. Locks of two numbers never collide with those of one (PostgreSQL, "Advisory
 * Lock Functions").
 */
const LOCK_SPACE = 1_718_185_061;
const ANSWER_MS = 5_000;

/**
 * Creates claims as session locks on one connection, which opens with the first claim and again after a loss.
 * PostgreSQL releases them all when the connection ends, so a lost claim only means that work may be done
 * twice. A claim that this process already holds is granted again.
 */
export function createPostgresClaims({ url, log }: { url: string; log: Logger }): Claims & {
  close(): Promise<void>;
} {
  let session: Promise<pg.Client> | undefined;

  function open(): Promise<pg.Client> {
    const client = new Client({
      connectionString: withSession(url, {}),
      application_name: 'claims',
      connectionTimeoutMillis: 3_000,
      query_timeout: ANSWER_MS,
      keepAlive: true,
    });
    const opened = client.connect().then(() => client);
    client.on('error', (err) => log.warn({ err }, 'claims are lost: work may be done twice'));
    client.on('end', () => {
      if (session === opened) session = undefined;
    });
    return opened;
  }

  async function ask(held: Promise<pg.Client>, lock: string, name: string): Promise<boolean> {
    try {
      const { rows } = await (
        await held
      ).query<{ done: boolean }>({
        name: lock,
        text: `select ${lock}($1, hashtext($2)) as done`,
        values: [LOCK_SPACE, name],
      });
      return rows[0]!.done;
    } catch (error) {
      // No caller can rely on the locks of a connection that does not answer.
      void held.then((client) => client.end()).catch(() => undefined);
      throw error;
    }
  }

  return {
    async claim(name) {
      const held = (session ??= open());
      if (!(await ask(held, 'pg_try_advisory_lock', name))) return undefined;
      return async () => {
        if (session === held) await ask(held, 'pg_advisory_unlock', name).catch(() => undefined);
      };
    },
    async close() {
      const held = session;
      session = undefined;
      await held?.then((client) => client.end()).catch(() => undefined);
    },
  };
}
