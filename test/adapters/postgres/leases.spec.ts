import { randomUUID } from 'node:crypto';
import { jest } from '@jest/globals';
import pg from 'pg';
import { createPostgresLeases, leadsAlone } from '../../../src/adapters/postgres/leases.ts';
import { type TestDatabase, createTestDatabase } from '../../support/stages/database.ts';
import { linesOf } from '../../support/log-lines.ts';
import { startTcpProxy } from '../../../tools/tcp-proxy.ts';
import { until } from '../../../tools/until.ts';

let database: TestDatabase;
let owner: pg.Client;
const open: { close(): Promise<void> }[] = [];
beforeEach(async () => {
  database = await createTestDatabase();
  owner = new pg.Client({ connectionString: database.ownerUrl });
  await owner.connect();
});
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
  await owner.end();
  await database.drop();
});

/** A candidate for leadership; `terms` are the times at which it began and ended. */
function candidate(name = 'notifier', url = database.url) {
  const { log, lines } = linesOf('info');
  const nodeId = randomUUID();
  const leases = createPostgresLeases({ url, nodeId, log });
  const terms: { from: number; to?: number }[] = [];
  let failures = 0;
  const leading = leases.lead(name, async (signal) => {
    if (failures-- > 0) throw new Error('not now');
    const term: (typeof terms)[number] = { from: performance.now() };
    terms.push(term);
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    term.to = performance.now();
  });
  open.push({ close: () => leading.stop().then(() => leases.close()) });
  return { ...leading, leases, nodeId, terms, lines, failNext: (times: number) => (failures = times) };
}

describe('leases in PostgreSQL', () => {
  test('have one leader, and a next one when it stops', async () => {
    const all = [candidate(), candidate(), candidate()];
    await until(() => all.some((each) => each.isLeader()), 'a leader');
    const [leader, ...others] = all.toSorted((a, b) => Number(b.isLeader()) - Number(a.isLeader()));
    expect(others.map((each) => each.isLeader())).toEqual([false, false]);
    await leader!.stop();
    await until(() => others.some((each) => each.isLeader()), 'the next one leads', 2_000);
    const next = others.find((each) => each.isLeader())!;
    expect(next.terms[0]!.from).toBeGreaterThanOrEqual(leader!.terms[0]!.to!);
  });

  test('ask one question at a time on their connection', async () => {
    const asking = new Map<unknown, number>();
    let most = 0;
    // eslint-disable-next-line @typescript-eslint/unbound-method
    const { query } = pg.Client.prototype;
    const spy = jest.spyOn(pg.Client.prototype, 'query').mockImplementation(async function count(
      this: pg.Client,
      ...args: unknown[]
    ) {
      asking.set(this, (asking.get(this) ?? 0) + 1);
      most = Math.max(most, asking.get(this)!);
      try {
        return await (query as (...given: unknown[]) => Promise<unknown>).apply(this, args);
      } finally {
        asking.set(this, asking.get(this)! - 1);
      }
    } as never);
    const { leases } = candidate();
    const answers = await Promise.all(Array.from({ length: 8 }, () => leases.standing()));
    spy.mockRestore();
    expect(answers).toHaveLength(8);
    expect(asking.size).toBe(1);
    expect(most).toBe(1);
  });

  test('tell every process who leads, and for how long nobody has', async () => {
    const [leader, other] = [candidate(), candidate('projector')];
    await until(() => leader.isLeader() && other.isLeader(), 'both lead');
    const held = { vacantSeconds: 0 };
    expect(await leader.leases.standing()).toEqual([
      { name: 'notifier', isHere: true, nodeId: leader.nodeId, ...held },
      { name: 'projector', isHere: false, nodeId: other.nodeId, ...held },
    ]);
    await leader.stop();
    const vacancy = async () =>
      (await other.leases.standing()).find(({ name }) => name === 'notifier')!.vacantSeconds;
    await until(async () => (await vacancy()) > 0.1, 'it is vacant');
    expect(await other.leases.standing()).toEqual([
      { name: 'notifier', isHere: false, nodeId: null, vacantSeconds: expect.any(Number) },
      { name: 'projector', isHere: true, nodeId: other.nodeId, ...held },
    ]);
    const next = candidate();
    await until(() => next.isLeader(), 'the next one leads', 2_000);
    expect(await vacancy()).toBe(0);
  });

  test('tell of a process that is alone what it does', async () => {
    const nodeId = randomUUID();
    const leases = leadsAlone(linesOf('silent').log, nodeId);
    const work = (signal: AbortSignal) =>
      new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    const leading = leases.lead('projector', work);
    expect(await leases.standing()).toEqual([{ name: 'projector', isHere: true, nodeId, vacantSeconds: 0 }]);
    await leading.stop();
    expect(await leases.standing()).toEqual([]);
  });

  test('are independent of each other', async () => {
    const [one, other] = [candidate('projector'), candidate('realtime')];
    await until(() => one.isLeader() && other.isLeader(), 'both lead');
  });

  test("pass on at once when the leader's process dies, which ends its connections", async () => {
    const leader = candidate();
    await until(() => leader.isLeader(), 'it leads');
    const standby = candidate();
    // A dead process does not renew its lease; only its row remains.
    await owner.query('update leases set holder = gen_random_uuid()');
    await owner.query(`select pg_terminate_backend(backend) from leases`);
    await until(() => leader.isLeader() || standby.isLeader(), 'a leader', 2_000);
  });

  test('pass on after the term when the leader is cut off, which has given up before', async () => {
    const proxy = await startTcpProxy({ to: Number(new URL(database.ownerUrl).port) });
    const url = new URL(database.url);
    url.port = String(proxy.port);
    const leader = candidate('notifier', url.href);
    await until(() => leader.isLeader(), 'it leads');
    const standby = candidate();
    proxy.blackHole();
    await until(() => standby.isLeader(), 'the other one leads');
    expect(leader.isLeader()).toBe(false);
    expect(leader.terms[0]!.to!).toBeLessThan(standby.terms[0]!.from);
    await proxy.close();
  });

  test('survive a restart of PostgreSQL, which ends all connections', async () => {
    const all = [candidate(), candidate()];
    await until(() => all.some((each) => each.isLeader()), 'a leader');
    await owner.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where application_name = 'leases' and datname = current_database()`,
    );
    const renewed = new Date();
    await until(async () => {
      const { rows } = await owner.query<{ expires_at: Date }>('select expires_at from leases');
      return rows[0]!.expires_at.getTime() > renewed.getTime() + 5_500;
    }, 'it was renewed after that');
    await until(() => all.filter((each) => each.isLeader()).length === 1, 'there is one leader');
  });

  test('restart work that has failed', async () => {
    const one = candidate();
    one.failNext(2);
    await until(() => one.terms.length === 1, 'it to work');
    expect(one.lines().filter(({ msg }) => msg === 'could not run as leader; retrying')).toHaveLength(2);
  });
});
