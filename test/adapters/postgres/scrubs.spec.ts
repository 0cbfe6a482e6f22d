import pg from 'pg';
import { createScrubs } from '../../../src/adapters/postgres/scrubs.ts';
import { createPool } from '../../../src/adapters/postgres/connection.ts';
import { rebuildReadModels } from '../../../src/adapters/postgres/read-models/rebuild-projection.ts';
import { until } from '../../../tools/until.ts';
import { readModels } from '../../../src/projections/read-models.ts';
import { said } from '../../support/language/conversation.ts';
import {
  acme,
  ada,
  adaApplied,
  bob,
  group,
  jobPosted,
  registered,
} from '../../support/language/example-events.ts';
import { happened } from '../../support/language/history.ts';
import { linesOf } from '../../support/log-lines.ts';
import { type ReadSide, openReadSide } from '../../support/stages/read-side.ts';

let side: ReadSide;
let pool: pg.Pool;
beforeEach(async () => {
  side = await openReadSide();
  pool = createPool({ url: side.url, max: 2, applicationName: 'scrubs', log: side.log });
  await side.happened(registered(acme), registered(ada), registered(bob), jobPosted, adaApplied, ...group);
});
afterEach(async () => {
  await pool.end();
  await side.close();
});

const never = new AbortController().signal;
const scrubs = (options: Partial<Parameters<typeof createScrubs>[0]> = {}) =>
  createScrubs({ pool, databaseUrl: side.url, store: side.store, log: side.log, ...options });
/** Returns where the rows of a table are: another file once it is written anew. */
const fileOf = async (table: string) =>
  (await side.owner.query<{ file: string }>('select pg_relation_filepath($1) as file', [table])).rows[0]!
    .file;

describe('a scrub', () => {
  test('is wanted until as many are done as were asked for', async () => {
    const { wanted, done } = scrubs();
    expect(await wanted()).toBeUndefined();
    await pool.query('select ask_for_scrub(), ask_for_scrub()');
    expect(await wanted()).toBe(2);
    await pool.query('select ask_for_scrub()');
    await done(2);
    expect(await wanted()).toBe(3);
    await done(3);
    await done(1);
    expect(await wanted()).toBeUndefined();
  });

  test('writes read models with personal text anew while events are appended, and keeps no earlier version', async () => {
    await rebuildReadModels({ store: side.store, databaseUrl: side.url, log: side.log });
    const before = await fileOf('conversations.messages');
    let isAppending = true;
    const appending = (async () => {
      for (let n = 1; isAppending; n += 1) await happened(side.store, said(n, n % 2 === 0 ? bob : ada));
    })();
    for (let round = 0; round < 3; round += 1) await scrubs().run(never);
    isAppending = false;
    await appending;
    expect(await fileOf('conversations.messages')).not.toBe(before);
    const { rows } = await side.owner.query<{ nspname: string }>(
      `select nspname from pg_namespace where nspname ~ '_(next|previous)$' order by 1`,
    );
    expect(rows.map(({ nspname }) => nspname)).toEqual([
      'audit_previous',
      'chat_groups_previous',
      'jobs_previous',
    ]);
    const rebuilt = await rebuildReadModels({ store: side.store, databaseUrl: side.url, log: side.log });
    expect(rebuilt.map(({ name, isVerified }) => ({ name, isVerified }))).toEqual(
      readModels.map(({ name }) => ({ name, isVerified: true })),
    );
  }, 60_000);

  test('writes the tables beside the log anew, and not the log', async () => {
    const tables = [
      ...['credentials', 'sessions', 'text_keys', 'idempotency_keys', 'account_letters'],
      'company_invitations',
    ];
    const before = await Promise.all(tables.map(fileOf));
    const log = await fileOf('events');
    await scrubs().run(never);
    const after = await Promise.all(tables.map(fileOf));
    for (const [index, file] of after.entries())
      expect([tables[index], file]).not.toEqual([tables[index], before[index]]);
    expect(await fileOf('events')).toBe(log);
  });

  test('leaves tables that are too large to lock, and names them', async () => {
    const { log, lines } = linesOf('warn');
    const before = await fileOf('signing_keys');
    await scrubs({ log, mostBytes: -1 }).run(never);
    expect(await fileOf('signing_keys')).toBe(before);
    expect(lines()).toMatchObject([
      {
        left: expect.arrayContaining(['credentials', 'text_keys']),
        msg: expect.stringMatching('keep erased rows'),
      },
    ]);
  });

  test('fails while a transaction sees the database as it was before, and not after', async () => {
    const backup = new pg.Client({ connectionString: side.url });
    await backup.connect();
    try {
      await backup.query('begin isolation level repeatable read read only');
      await backup.query('select from events limit 1');
      await expect(scrubs().run(never)).rejects.toThrow('still sees what was erased');
      await backup.query('commit');
      await scrubs().run(never);
    } finally {
      await backup.end();
    }
  }, 30_000);

  test('waits for the code that made a read model', async () => {
    await side.projections.stop();
    await side.owner.query(`update checkpoints set version = version + 1 where name = 'files'`);
    await expect(scrubs().run(never)).rejects.toThrow('other code made the read model files');
  });

  test('ends at once when it is to stop, and can be repeated', async () => {
    const locking = new pg.Client({ connectionString: side.url });
    await locking.connect();
    const stopping = new AbortController();
    try {
      await locking.query('begin');
      await locking.query('lock table conversations.messages in access exclusive mode');
      const running = scrubs().run(stopping.signal);
      await until(
        async () =>
          (await side.owner.query(`select from pg_locks where not granted and relation is not null`))
            .rowCount !== 0,
      );
      stopping.abort();
      await expect(running).rejects.toThrow();
    } finally {
      await locking.end();
    }
    await scrubs().run(never);
  }, 30_000);
});
