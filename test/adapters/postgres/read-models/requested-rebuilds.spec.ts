import {
  rebuildReadModels,
  rollBackOnce,
} from '../../../../src/adapters/postgres/read-models/rebuild-projection.ts';
import {
  lastRebuilds,
  requestRebuild,
} from '../../../../src/adapters/postgres/read-models/rebuild-records.ts';
import { startRebuilds } from '../../../../src/adapters/postgres/read-models/run-rebuilds.ts';
import { createReadModelUpkeep } from '../../../../src/adapters/postgres/read-models/upkeep.ts';
import { createPool } from '../../../../src/adapters/postgres/connection.ts';
import type { EventStore } from '../../../../src/events/event-store.ts';
import { ActId } from '../../../../src/events/ids.ts';
import type { Rebuild } from '../../../../src/projections/upkeep.ts';
import { readModels } from '../../../../src/projections/read-models.ts';
import { until } from '../../../../tools/until.ts';
import {
  acme,
  actId,
  jobPosted,
  operator,
  registered,
  uuid,
} from '../../../support/language/example-events.ts';
import { type ReadSide, openReadSide } from '../../../support/stages/read-side.ts';

let side: ReadSide;
let pool: ReturnType<typeof createPool>;
const running: { stop(): Promise<void> }[] = [];
beforeEach(async () => {
  side = await openReadSide();
  pool = createPool({ url: side.url, max: 2, applicationName: 'test', log: side.log });
  await side.happened(registered(acme), jobPosted);
});
afterEach(async () => {
  for (const each of running.splice(0)) await each.stop();
  await pool.end();
  await side.close();
});

const jobs = readModels.filter(({ name }) => name === 'jobs');
const otherActId = ActId.parse(uuid(0x91));
const request = (more: Partial<Parameters<typeof requestRebuild>[1]> = {}) =>
  requestRebuild(pool, { name: 'jobs', actId, requestedBy: operator.userId, force: false, ...more });
const last = async (name = 'jobs'): Promise<Rebuild | undefined> => (await lastRebuilds(pool)).get(name);
const oid = async (schema = 'jobs') =>
  (await side.owner.query<{ oid: number }>('select oid from pg_namespace where nspname = $1', [schema]))
    .rows[0]!.oid;

/** Does what was asked for, as the process that leads the projections does. */
function rebuilder(store: EventStore = side.store) {
  const rebuilds = startRebuilds({
    pool,
    store,
    databaseUrl: side.url,
    projections: readModels,
    log: side.log,
  });
  running.push(rebuilds);
  return rebuilds;
}
const isDone = () => until(async () => (await last())?.state === 'done', 'the rebuild is done', 20_000);

/** The log, whose events are read once `release` is called. */
function heldLog() {
  const { promise, resolve: release } = Promise.withResolvers<void>();
  const store: EventStore = {
    ...side.store,
    readAll: async (options) => {
      await promise;
      return side.store.readAll(options);
    },
  };
  return { store, release };
}

describe('a rebuild that was asked for', () => {
  test('is done by the process that leads the projections, and says so', async () => {
    const before = await oid();
    expect(await request()).toMatchObject({
      ...{ state: 'requested', position: null, head: null, requestedBy: operator.userId },
      ...{ requestedAt: expect.any(String), startedAt: null, finishedAt: null, error: null },
    });
    rebuilder();
    await isDone();
    const head = await side.store.head();
    expect(await last()).toMatchObject({
      ...{ position: head, head, requestedBy: operator.userId, error: null },
      ...{ startedAt: expect.any(String), finishedAt: expect.any(String) },
    });
    expect(await oid()).not.toBe(before);
    expect(await oid('jobs_previous')).toBe(before);
  });

  test('is one, however often it is asked for while it is under way', async () => {
    const { store, release } = heldLog();
    await Promise.all([request(), request({ actId: otherActId })]);
    rebuilder(store);
    await until(async () => (await last())?.state === 'running', 'it is running', 10_000);
    expect(await request({ actId: ActId.parse(uuid(0x92)) })).toMatchObject({
      state: 'running',
      position: 0,
    });
    release();
    await isDone();
    const rebuilt = await oid();
    await side.happened(registered(operator));
    expect([(await last())!.state, await oid()]).toEqual(['done', rebuilt]);
  });

  test('is done again for another act, and not for a repetition', async () => {
    await request();
    rebuilder();
    await isDone();
    const first = (await last())!.finishedAt;
    expect(await request()).toMatchObject({ state: 'done', finishedAt: first });
    await request({ actId: otherActId });
    await until(
      async () => ![null, first].includes((await last())!.finishedAt),
      'the other one is done',
      20_000,
    );
    expect((await last())!.state).toBe('done');
  });

  test('starts again elsewhere when the process stops in the middle', async () => {
    const { store, release } = heldLog();
    await request();
    const first = rebuilder(store);
    await until(async () => (await last())?.state === 'running', 'it is running', 10_000);
    const stopped = first.stop();
    release();
    await stopped;
    await until(async () => (await last())!.state === 'requested', 'it waits again', 10_000);
    rebuilder();
    await isDone();
    expect(await oid('jobs_previous')).toEqual(expect.anything());
  });

  test('starts again when its process is gone, or was in a backup that was restored', async () => {
    await request();
    await side.owner.query(
      `update read_model_rebuilds set state = 'running', position = 1, started_at = now()`,
    );
    expect(await last()).toMatchObject({ state: 'requested', error: null });
    expect(await request({ actId: otherActId })).toMatchObject({ state: 'requested' });
    rebuilder();
    await isDone();
  });

  test('is given up when it was cut off five times', async () => {
    await request();
    await side.owner.query(`update read_model_rebuilds set state = 'running', attempts = 5`);
    expect(await last()).toMatchObject({ state: 'failed', error: 'it was cut off' });
    rebuilder();
    expect(await request({ actId: otherActId })).toMatchObject({ state: 'requested' });
    await isDone();
  });

  test('fails with the reason, and leaves the read model as it is', async () => {
    await side.owner.query(`update jobs.jobs set title = 'Wrong'`);
    const before = await oid();
    await request();
    rebuilder();
    await until(async () => (await last())?.state === 'failed', 'it has failed', 20_000);
    expect((await last())!.error).toContain('the rebuilt jobs differs from the live one');
    expect(await oid()).toBe(before);
    await request({ actId: otherActId, force: true });
    await isDone();
    const { rows } = await side.owner.query<{ title: string }>('select title from jobs.jobs');
    expect(rows).toEqual([{ title: 'Engineer' }]);
  });

  test('waits while a program rebuilds the same one, and is done with it', async () => {
    const { store, release } = heldLog();
    const byProgram = rebuildReadModels({ store, databaseUrl: side.url, projections: jobs, log: side.log });
    await until(async () => (await last())?.state === 'running', 'the program rebuilds', 10_000);
    expect(await last()).toMatchObject({ requestedBy: null, requestedAt: null });
    expect(await request()).toMatchObject({ state: 'running', requestedBy: null });
    rebuilder();
    release();
    await byProgram;
    expect(await last()).toMatchObject({ state: 'done', requestedBy: null });
  });
});

describe('a rebuild by a program', () => {
  test('shows how far it is, and that it is done', async () => {
    const steps: (number | null)[] = [];
    await rebuildReadModels({ store: side.store, databaseUrl: side.url, log: side.log });
    for (const { name } of readModels) {
      const rebuild = (await last(name))!;
      expect(rebuild).toMatchObject({ state: 'done', requestedBy: null });
      steps.push(rebuild.position);
    }
    expect(new Set(steps)).toEqual(new Set([await side.store.head()]));
  });

  test('that was ended is shown as cut off', async () => {
    await side.owner.query(
      `insert into read_model_rebuilds (name, force, state, started_at) values ('jobs', false, 'running', now())`,
    );
    expect(await last()).toMatchObject({ state: 'failed', error: 'it was cut off' });
    expect(await request()).toMatchObject({ state: 'requested', error: null });
  });
});

describe('going back to the version before', () => {
  const upkeep = () => createReadModelUpkeep({ pool, databaseUrl: side.url, store: side.store });

  test('happens once for each act', async () => {
    expect(await upkeep().rollBackObstacle('jobs')).toBe('NOTHING_KEPT');
    expect(await rollBackOnce(side.url, { name: 'jobs', actId })).toBe('NOTHING_KEPT');
    await rebuildReadModels({ store: side.store, databaseUrl: side.url, projections: jobs, log: side.log });
    const [live, previous] = [await oid(), await oid('jobs_previous')];
    expect(await upkeep().rollBackObstacle('jobs')).toBeUndefined();
    for (let time = 0; time < 2; time += 1) {
      expect(await upkeep().rollBack({ name: 'jobs', actId })).toBeUndefined();
      expect([await oid(), await oid('jobs_previous')]).toEqual([previous, live]);
    }
    expect(await upkeep().rollBack({ name: 'jobs', actId: otherActId })).toBeUndefined();
    expect(await oid()).toBe(live);
  });

  test('does not wait for a rebuild', async () => {
    const { store, release } = heldLog();
    const rebuilding = rebuildReadModels({ store, databaseUrl: side.url, projections: jobs, log: side.log });
    await until(async () => (await last())?.state === 'running', 'it is running', 10_000);
    expect(await upkeep().rollBackObstacle('jobs')).toBe('REBUILD_RUNNING');
    expect(await upkeep().rollBack({ name: 'jobs', actId })).toBe('REBUILD_RUNNING');
    release();
    await rebuilding;
  });
});

test('The application may neither delete records of rebuilds nor change what was put back', async () => {
  await expect(pool.query('delete from read_model_rebuilds')).rejects.toThrow('permission denied');
  await expect(pool.query('delete from read_model_rollbacks')).rejects.toThrow('permission denied');
  await expect(pool.query('update read_model_rollbacks set name = name')).rejects.toThrow(
    'permission denied',
  );
});
