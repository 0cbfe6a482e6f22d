import { decodeWith } from '../../src/audit/decode.ts';
import { openGrant } from '../../src/audit/grants.ts';
import type { OpenText } from '../../src/audit/line.ts';
import type { StoredLog } from '../../src/audit/stored-log.ts';
import { within } from '../../src/audit/redact.ts';
import { AggregateLoader } from '../../src/commands/aggregate-cache.ts';
import { openStoredLog } from '../../src/compose/audit.ts';
import { createLog } from '../../src/compose/log.ts';
import { readConfig } from '../../src/config.ts';
import { GrantId } from '../../src/events/ids.ts';
import { closers } from '../../src/kit/closers.ts';
import { createLogger } from '../../src/adapters/pino/logger.ts';
import { openDatabase } from '../../src/adapters/embedded-postgres/open-database.ts';
import { APP_ROLE, createPool } from '../../src/adapters/postgres/connection.ts';
import { prepareDatabase } from '../../src/adapters/postgres/prepare-database.ts';

/** Opens the log as auditors read it, for the duration of `work`. With a grant, its text is readable. */
export async function withLog<T>(
  grantId: string | undefined,
  work: (opened: Opened) => Promise<T>,
): Promise<T> {
  const config = readConfig(process.env);
  const log = createLogger({ level: 'error', destination: process.stderr });
  const open = closers(log);
  try {
    const database = await openDatabase({ databaseUrl: config.databaseUrl, dataDir: config.dataDir, log });
    open.add('database', () => database.close());
    const databaseUrl = await prepareDatabase(database.ownerUrl, config.databaseOwnerUrl);
    const pool = createPool({ url: databaseUrl, role: APP_ROLE, max: 4, applicationName: 'audit', log });
    open.add('pool', () => pool.end());
    const { store } = await createLog(config, log, { databaseUrl, pool });
    open.add('log', () => store.close());
    const storedLog = await openStoredLog(config, log, open, { store, databaseUrl });
    const text = grantId === undefined ? undefined : await openText(grantId);
    return await work({ store, storedLog, text });

    async function openText(id: string): Promise<OpenText> {
      const loader = new AggregateLoader(store, new Map());
      const { scope } = await openGrant(loader, GrantId.parse(id), { now: new Date() });
      return { mayRead: within(scope), decode: decodeWith(store) };
    }
  } finally {
    await open.closeAll();
  }
}

export interface Opened {
  store: Awaited<ReturnType<typeof createLog>>['store'];
  storedLog: StoredLog;
  /** What the grant opens; undefined without one. */
  text: OpenText | undefined;
}
