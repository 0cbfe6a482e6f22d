import { decodeWith } from '../../src/audit/decode.ts';
import { openGrant } from '../../src/audit/grants.ts';
import type { OpenText } from '../../src/audit/line.ts';
import { within } from '../../src/audit/redact.ts';
import type { StoredLog } from '../../src/audit/stored-log.ts';
import { AggregateLoader } from '../../src/commands/aggregate-cache.ts';
import { openStoredLog } from '../../src/compose/audit.ts';
import { GrantId } from '../../src/events/ids.ts';
import { openLog, withDatabase } from '../with-database.ts';

/** Opens the log as auditors read it, for the duration of `work`. With a grant, its text is readable. */
export const withStoredLog = <T>(
  grantId: string | undefined,
  work: (opened: Opened) => Promise<T>,
): Promise<T> =>
  withDatabase({ name: 'audit' }, async (opened) => {
    const { config, log, open, databaseUrl } = opened;
    const { store } = await openLog(opened);
    const storedLog = await openStoredLog(config, log, open, { store, databaseUrl });
    const text = grantId === undefined ? undefined : await openText(grantId);
    return work({ store, storedLog, text });

    async function openText(id: string): Promise<OpenText> {
      const loader = new AggregateLoader(store, new Map());
      const { scope } = await openGrant(loader, GrantId.parse(id), { now: new Date() });
      return { mayRead: within(scope), decode: decodeWith(store) };
    }
  });

export interface Opened {
  store: Awaited<ReturnType<typeof openLog>>['store'];
  storedLog: StoredLog;
  /** What the grant opens; undefined without one. */
  text: OpenText | undefined;
}
