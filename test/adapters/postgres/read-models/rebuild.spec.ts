import { setTimeout as pause } from 'node:timers/promises';
import {
  diffReadModels,
  rebuildReadModels,
  rollbackProjection,
} from '../../../../src/adapters/postgres/read-models/rebuild-projection.ts';
import { createTables, tablesOf } from '../../../../src/adapters/postgres/read-models/read-model-schemas.ts';
import { ProjectingConnection } from '../../../../src/adapters/postgres/read-models/projections.ts';
import { inTransaction } from '../../../../src/adapters/postgres/transactions.ts';
import type { EventStore } from '../../../../src/events/event-store.ts';
import type { Projection } from '../../../../src/projections/projection.ts';
import { readModels } from '../../../../src/projections/read-models.ts';
import { deleted, edited, reacted, said, unreacted } from '../../../support/language/conversation.ts';
import {
  acme,
  ada,
  adaApplied,
  adaAppliedPrivately,
  adaIs,
  adaReconsidered,
  adaReturned,
  adaWithdrew,
  bob,
  cleared,
  dismissed,
  event,
  group,
  groupClosed,
  hired,
  interviewer,
  jobClosed,
  jobId,
  jobPosted,
  joined,
  left,
  moved,
  otherJobId,
  recruiter,
  registered,
  thread,
  threadId,
  uploaded,
  uploadRequested,
  viewer,
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

/** People come to a company and go, with a thread between them. */
const hiring = [
  ...[hired(recruiter, 'recruiter', [otherJobId]), adaAppliedPrivately, ...thread, hired(viewer, 'viewer')],
  ...[joined(viewer), hired(interviewer, 'interviewer')],
  event('ThreadAssigned', { groupId: threadId, assigneeId: interviewer.userId }),
  event('MemberJoined', { groupId: threadId, userId: viewer.userId, role: 'member' }),
  ...[moved(recruiter, 'recruiter', [jobId]), dismissed(viewer)],
];

describe('rebuilding a read model', () => {
  test('yields identical rows while events are appended', async () => {
    let isAppending = true;
    const appending = (async () => {
      for (let n = 1; isAppending || n < 60; n += 3) await happened(side.store, ...talk(n));
    })();
    for (let round = 0; round < 3; round += 1) {
      const rebuilt = await rebuildReadModels(options());
      expect(rebuilt.map(({ name, isVerified }) => ({ name, isVerified }))).toEqual(
        readModels.map(({ name }) => ({ name, isVerified: true })),
      );
    }
    isAppending = false;
    await appending;
    for (const each of [left(ada), ...hiring]) await side.happened(each);
    const live = await allRows();
    await rebuildReadModels(options());
    expect(await allRows()).toEqual(live);
    expect(live[readModels.indexOf(conversations)]!.messages!.length).toBeGreaterThan(59);
  }, 60_000);

  test('does not switch to rows that differ from the live ones, unless forced', async () => {
    await side.happened(...talk(1));
    await side.owner.query('update conversations.messages set ordinal = 77');
    await expect(rebuildReadModels({ ...options(), projections: [conversations] })).rejects.toThrow(
      'the rebuilt conversations differs from the live one (messages: 3 live, 3 rebuilt)',
    );
    const wrong = async () =>
      (await side.owner.query('select from conversations.messages where ordinal = 77')).rowCount;
    expect(await wrong()).toBe(3);
    await rebuildReadModels({ ...options(), projections: [conversations], force: true });
    expect(await wrong()).toBe(0);
  });

  test('is rehearsed by a comparison that shows the rows and switches nothing', async () => {
    await side.happened(...talk(1));
    await side.projections.progress.reached(await side.store.head(), 10_000);
    const same = await diffReadModels({ ...options(), mostRows: 10 });
    expect(same.map(({ name, differences, isVerified }) => ({ name, differences, isVerified }))).toEqual(
      readModels.map(({ name }) => ({ name, differences: [], isVerified: true })),
    );
    await side.owner.query('update conversations.messages set ordinal = 77 where ordinal = 1');
    await side.owner.query('delete from conversations.messages where ordinal = 2');
    const before = await allRows();
    const compare = (mostRows: number) =>
      diffReadModels({ ...options(), projections: [conversations], mostRows });
    const [found] = await compare(10);
    expect(found!.differences).toMatchObject([{ table: 'messages', live: 2, next: 3 }]);
    const rows = found!.differences[0]!.rows.map(({ isLive, row }) => ({
      isLive,
      ordinal: (JSON.parse(row) as { ordinal: number }).ordinal,
    }));
    expect(rows).toHaveLength(3);
    expect(rows).toEqual(
      expect.arrayContaining([
        { isLive: true, ordinal: 77 },
        { isLive: false, ordinal: 1 },
        { isLive: false, ordinal: 2 },
      ]),
    );
    expect((await compare(1))[0]!.differences[0]!.rows).toHaveLength(1);
    expect(await allRows()).toEqual(before);
    const kept = await side.owner.query(`select from checkpoints where name like '%\\_next'`);
    expect(kept.rowCount).toBe(0);
  });

  test('reads the log once for all read models', async () => {
    await side.happened(...talk(1));
    await side.projections.progress.reached(await side.store.head(), 10_000);
    const events = await side.store.readAll({ after: 0, limit: 1_000 });
    let read = 0;
    const store: EventStore = {
      ...side.store,
      async readAll(asked) {
        const page = await side.store.readAll(asked);
        read += page.length;
        return page;
      },
    };
    const rebuilt = await rebuildReadModels({ ...options(), store });
    expect(rebuilt).toHaveLength(readModels.length);
    expect(read).toBe(events.length);
  });

  test('that fails leaves the others alone', async () => {
    const accounts = readModels.find(({ name }) => name === 'accounts')!;
    const broken: Projection = {
      ...conversations,
      project: () => {
        throw new Error('cannot be projected');
      },
    };
    await side.happened(...talk(1));
    await expect(rebuildReadModels({ ...options(), projections: [broken, accounts] })).rejects.toThrow(
      'cannot be projected',
    );
    expect(await rollbackProjection(side.url, 'accounts')).toBe(true);
    expect(await rollbackProjection(side.url, 'conversations')).toBe(false);
  });

  test('that differs leaves those alone that it shares a connection with', async () => {
    const some = readModels.filter(({ name }) => ['conversations', 'accounts', 'jobs'].includes(name));
    await side.owner.query(`update accounts.accounts set display_name = 'Nobody'`);
    await expect(rebuildReadModels({ ...options(), projections: some })).rejects.toThrow(
      'the rebuilt accounts differs',
    );
    expect(await rollbackProjection(side.url, 'accounts')).toBe(false);
    expect(await rollbackProjection(side.url, 'jobs')).toBe(true);
    expect(await rollbackProjection(side.url, 'conversations')).toBe(true);
  });

  test('has what happens while it is compared and indexed', async () => {
    await side.happened(...talk(1));
    const slow = { ...conversations, indexes: `${conversations.indexes}; select pg_sleep(1)` };
    let appending: Promise<unknown> | undefined;
    const onStep = () =>
      void (appending ??= pause(300).then(() => happened(side.store, ...talk(4), left(ada))));
    const [rebuilt] = await rebuildReadModels({ ...options(), projections: [slow], onStep });
    await appending;
    expect(rebuilt).toMatchObject({ isVerified: true, position: await side.store.head() });
    const rows = await rowsOf('conversations');
    expect(rows.messages).toHaveLength(6);
    await rebuildReadModels({ ...options(), projections: [conversations] });
    expect(await rowsOf('conversations')).toEqual(rows);
  });

  test('keeps the previous version, which can be restored while events arrive', async () => {
    await side.happened(...talk(1));
    expect(await rollbackProjection(side.url, 'conversations')).toBe(false);
    await rebuildReadModels({ ...options(), projections: [conversations] });
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
      const writer = await ProjectingConnection.open({ url: side.url, schema });
      await inTransaction(writer.client, () => createTables(writer.client, schema, projection));
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
