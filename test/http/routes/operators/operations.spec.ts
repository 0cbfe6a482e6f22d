import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { until } from '../../../../tools/until.ts';
import { type Answer, type Person, type TestApp, startApp } from '../../../support/stages/app.ts';

let app: TestApp;
let operator: Person;
let database: pg.Client;
beforeAll(async () => {
  app = await startApp();
  operator = await app.hireOperator();
  database = new pg.Client({ connectionString: app.databaseUrl });
  await database.connect();
}, 60_000);
afterAll(async () => {
  await database?.end();
  await app?.stop();
});

const reason = 'A complaint';
const refusal = ({ status, body }: Answer) => [status, body['code']];
const get = async (path: string) => (await app.ask('GET', `/v1/admin/${path}`, { as: operator })).body;
const act = (path: string, body: object = {}) =>
  app.ask('POST', `/v1/admin/${path}`, { as: operator, body: { reason, ...body } });

describe('notifications that could not be sent', () => {
  /** Parks batches for nobody, a second after each other. */
  async function park(count: number): Promise<string[]> {
    const ids = Array.from({ length: count }, () => randomUUID());
    for (const [n, id] of ids.entries())
      await database.query(
        `insert into notification_batches (batch_id, recipient_id, channel, gathered_at, publish_at, parked_at, park_reason)
         values ($1, $2, 'email', now(), now(), '2026-01-02T03:04:05Z'::timestamptz + make_interval(secs => $3), 'refused')`,
        [id, randomUUID(), Math.floor(n / 2)],
      );
    return ids;
  }
  const parked = async (query = '') =>
    (await get(`notifications/parked${query}`)) as unknown as {
      data: { batchId: string }[];
      nextCursor: string | null;
    };

  test('are counted and listed page by page, though some were parked at once', async () => {
    const ids = await park(5);
    expect(await get('notifications')).toMatchObject({ parked: 5 });
    const listed: string[] = [];
    for (let cursor: string | null | undefined; cursor !== null;) {
      const page = await parked(`?limit=2${cursor === undefined ? '' : `&cursor=${cursor}`}`);
      listed.push(...page.data.map(({ batchId }) => batchId));
      cursor = page.nextCursor;
    }
    expect([listed.length, listed.toSorted()]).toEqual([5, ids.toSorted()]);
    expect((await parked()).data[0]).toEqual({
      ...{ batchId: listed[0], parkedAt: '2026-01-02T03:04:05.000Z', channel: 'email', notifications: 0 },
      ...{ recipientId: expect.any(String), reason: 'refused' },
    });
  });

  test('are put back one by one, or all at once', async () => {
    const [{ batchId }, other] = (await parked()).data as [{ batchId: string }, { batchId: string }];
    const batchIds = [batchId, batchId.toUpperCase(), randomUUID()];
    expect((await act('notifications/replay', { batchIds })).body).toMatchObject({ replayed: 1 });
    expect((await act('notifications/replay', { batchIds: [batchId] })).body).toMatchObject({ replayed: 0 });
    expect((await parked()).data[0]).toEqual(other);
    expect((await act('notifications/replay', { all: true })).body).toMatchObject({ replayed: 4 });
    expect((await parked()).data).toEqual([]);
  });

  test.each([
    {},
    { batchIds: [] },
    { batchIds: ['x'] },
    { batchIds: Array.from({ length: 101 }, () => randomUUID()) },
    { all: false },
    { all: true, batchIds: [randomUUID()] },
  ])('are not put back by %j', async (body) =>
    expect(refusal(await act('notifications/replay', body))).toEqual([400, 'BAD_REQUEST']),
  );

  test('are refused with a cursor of another list', async () => {
    const { nextCursor } = (await get('users?limit=1')) as { nextCursor: string | null };
    const answer = await app.ask('GET', `/v1/admin/notifications/parked?cursor=${nextCursor ?? 'e30'}`, {
      as: operator,
    });
    expect(refusal(answer)).toEqual([400, 'BAD_REQUEST']);
  });
});

describe('read models', () => {
  interface Listed {
    data: { name: string; previousKept: boolean; rebuild: { state: string; requestedBy: string } | null }[];
  }
  const jobs = async () =>
    ((await get('read-models')) as unknown as Listed).data.find(({ name }) => name === 'jobs')!;

  test('are rebuilt, and the version before is put back', async () => {
    expect(await jobs()).toMatchObject({
      ...{ behind: expect.any(Number), lagSeconds: expect.any(Number) },
      ...{ previousKept: false, rebuild: null },
    });
    expect(refusal(await act('read-models/jobs/rollback'))).toEqual([409, 'NOTHING_KEPT']);
    const asked = await act('read-models/jobs/rebuild', { force: false });
    expect([asked.status, asked.body]).toMatchObject([202, { rebuild: { state: 'requested' } }]);
    await until(async () => (await jobs()).rebuild?.state === 'done', 'it is rebuilt', 20_000);
    expect(await jobs()).toMatchObject({ previousKept: true, rebuild: { requestedBy: operator.userId } });
    expect((await act('read-models/jobs/rollback')).status).toBe(200);
    expect((await app.ask('GET', '/v1/admin/jobs', { as: operator })).status).toBe(200);
  });

  test('that are not there are not rebuilt', async () => {
    for (const name of ['event_ids', 'none', 'jobs_previous', '__proto__'])
      for (const what of ['rebuild', 'rollback'])
        expect(refusal(await act(`read-models/${name}/${what}`))).toEqual([404, 'READ_MODEL_NOT_FOUND']);
  });
});

describe('the deployment', () => {
  test('is shown with its processes, what each leads, and what waits', async () => {
    const system = await get('system');
    expect(system).toMatchObject({
      status: 'ready',
      dependencies: { database: { status: 'ok' }, leaders: { status: 'ok' } },
      nodes: [{ roles: expect.arrayContaining(['api', 'projector']), version: expect.any(String) }],
      filesToScan: { count: 0, oldestSeconds: 0 },
    });
    const [{ nodeId }] = system['nodes'] as [{ nodeId: string }];
    expect(system['leases']).toContainEqual({ name: 'projector', nodeId, vacantSeconds: 0 });
    expect(Object.keys(system['queues'] as object)).toEqual(
      expect.arrayContaining(['notifications', 'batches', 'letters', 'files']),
    );
  });

  test('is shown where something is degraded, with the reason', async () => {
    await database.query(
      `insert into nodes (node_id, host, version, roles, has_redis) values ($1, 'elsewhere', '9', '{api}', true)`,
      [randomUUID()],
    );
    const limits = async () => ((await get('system'))['dependencies'] as Record<string, unknown>)['limits'];
    await until(async () => (await limits()) !== undefined, 'it is looked at');
    await until(
      async () => JSON.stringify(await limits()).includes('another process (on elsewhere'),
      'the other process is seen',
    );
  });
});
