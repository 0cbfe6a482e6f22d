import {
  rebuildAll,
  rebuildProjection,
  rollbackProjection,
} from '../../../../src/adapters/postgres/read-models/rebuild-projection.ts';
import { createTables, tablesOf } from '../../../../src/adapters/postgres/read-models/read-model-schemas.ts';
import { ProjectingConnection } from '../../../../src/adapters/postgres/read-models/projections.ts';
import { inTransaction } from '../../../../src/adapters/postgres/transactions.ts';
import { readModels } from '../../../../src/projections/read-models.ts';
import { deleted, edited, reacted, said, unreacted } from '../../../support/language/conversation.ts';
import {
  acme,
  ada,
  adaApplied,
  adaIs,
  adaReconsidered,
  adaReturned,
  adaWithdrew,
  bob,
  cleared,
  group,
  groupClosed,
  jobClosed,
  jobPosted,
  joined,
  left,
  registered,
  uploaded,
  uploadRequested,
} from '../../../support/language/example-events.ts';
import { happened } from '../../../support/language/history.ts';
import { type ReadSide, openReadSide } from '../../../support/stages/read-side.ts';

let side: ReadSide;
beforeEach(async () => {
  side = await openReadSide();
  await side.happened(registered(acme), registered(ada), registered(bob), jobPosted, adaApplied, ...group);
});
afterEach(() => side.close());

const conversations = readModels.find(({ name }) => name === 'conversations')!;
const options = () => ({ store: side.store, databaseUrl: side.url, log: side.log });

/** Returns every row of a schema, by table. */
async function rowsOf(schema: string): Promise<Record<string, unknown[]>> {
  const rows: Record<string, unknown[]> = {};
  for (const table of await tablesOf(side.owner, schema)) {
    rows[table] = (await side.owner.query(`select t::text as row from ${schema}.${table} t order by 1`)).rows;
  }
  return rows;
}

async function allRows(): Promise<Record<string, unknown[]>[]> {
  const rows: Record<string, unknown[]>[] = [];
  for (const { name } of readModels) rows.push(await rowsOf(name));
  return rows;
}

const talk = (n: number) => [
  said(n),
  said(n + 1, bob),
  reacted(n, '👍'),
  edited(n + 1, `edited ${n}`),
  reacted(n + 1, '🎉'),
  unreacted(n, '👍'),
  said(n + 2),
  deleted(n),
];

describe('rebuilding a read model', () => {
  test('yields identical rows while events are appended', async () => {
    let isAppending = true;
    const appending = (async () => {
      for (let n = 1; isAppending || n < 60; n += 3) await happened(side.store, ...talk(n));
    })();
    for (let round = 0; round < 3; round += 1) {
      const rebuilt = await rebuildAll(options());
      expect(rebuilt.map(({ name, isVerified }) => ({ name, isVerified }))).toEqual(
        readModels.map(({ name }) => ({ name, isVerified: true })),
      );
    }
    isAppending = false;
    await appending;
    await side.happened(left(ada));
    const live = await allRows();
    await rebuildAll(options());
    expect(await allRows()).toEqual(live);
    expect(live[readModels.indexOf(conversations)]!.messages!.length).toBeGreaterThan(59);
  }, 60_000);

  test('does not switch to rows that differ from the live ones, unless forced', async () => {
    await side.happened(...talk(1));
    await side.owner.query('update conversations.messages set ordinal = 77');
    await expect(rebuildProjection({ ...options(), projection: conversations })).rejects.toThrow(
      'the rebuilt conversations differs from the live one (messages: 3 live, 3 rebuilt)',
    );
    const wrong = async () =>
      (await side.owner.query('select from conversations.messages where ordinal = 77')).rowCount;
    expect(await wrong()).toBe(3);
    await rebuildProjection({ ...options(), projection: conversations, force: true });
    expect(await wrong()).toBe(0);
  });

  test('keeps the previous version, which can be restored while events arrive', async () => {
    await side.happened(...talk(1));
    expect(await rollbackProjection(side.url, 'conversations')).toBe(false);
    await rebuildProjection({ ...options(), projection: conversations });
    await side.happened(...talk(4));
    const rows = await rowsOf('conversations');
    expect(await rollbackProjection(side.url, 'conversations')).toBe(true);
    await side.happened(said(7));
    await happened(side.store, deleted(7));
    expect(await side.projections.progress.reached(await side.store.head(), 10_000)).toBe(true);
    const after = await rowsOf('conversations');
    expect(after.messages).toEqual(expect.arrayContaining(rows.messages!));
    expect(after.messages).toHaveLength(7);
  });

  test.each(readModels.map((projection) => [projection.name, projection] as const))(
    'finds every row of %s by its key, also while loading without indexes',
    async (name, projection) => {
      const moves = [adaWithdrew, adaReturned, adaIs('rejected'), adaReconsidered('screening')];
      const file = [uploadRequested, uploaded, cleared];
      await side.happened(...talk(1), left(ada), joined(ada), ...file, ...moves, jobClosed, groupClosed);
      const events = await side.store.readAll({ after: 0, limit: 1_000, types: projection.handles });
      const schema = `${name}_loaded`;
      await inTransaction(side.owner, () => createTables(side.owner, schema, projection));
      const writer = await ProjectingConnection.open({ url: side.url, schema });
      const scanned: string[] = [];
      for (const { text } of projection.project(events as never)) {
        const explain = `explain (generic_plan) ${text}`;
        const { rows } = await writer.client.query<{ 'QUERY PLAN': string }>(explain);
        scanned.push(...rows.map((row) => row['QUERY PLAN']).filter((line) => line.includes('Seq Scan')));
      }
      await writer.close();
      expect(scanned).toEqual([]);
    },
  );
});
