import { epochsOf } from '../../src/adapters/postgres/event-log/epochs.ts';
import { type AfterRestore, beginAfterRestore } from '../../src/operations/begin-after-restore.ts';
import { acme, ada, bob, groupId, uuid } from '../support/language/example-events.ts';
import { type OutboxStage, candidate, fanOutOf, openOutboxStage } from '../support/stages/outbox-stage.ts';

const HEAD = 10;

describe('a database whose log was restored', () => {
  let stage: OutboxStage;
  beforeEach(async () => {
    stage = await openOutboxStage();
    await stage.register(acme, ada, bob);
    await stage.outbox.begin(0);
  });
  afterEach(() => stage.close());

  const restored = (change: Partial<AfterRestore> = {}) =>
    beginAfterRestore(stage.owner, { head: HEAD, keepsNotifications: false, markers: [], ...change });
  const checkpoints = async () =>
    Object.fromEntries(
      (
        await stage.owner.query<{ name: string; position: number }>('select name, position from checkpoints')
      ).rows.map(({ name, position }) => [name, position]),
    );
  const put = (name: string, position: number) =>
    stage.owner.query(
      `insert into checkpoints (name, position, version) values ($1, $2, 1)
       on conflict (name) do update set position = excluded.position`,
      [name, position],
    );
  const gather = async (batchId: string) => {
    const [waiting] = await stage.outbox.due({ isSlow: false, limit: 1 });
    await stage.outbox.gather(waiting!, batchId);
  };

  test('has a new epoch, and readers that go back to the end of the log', async () => {
    const [before] = await epochsOf(stage.owner);
    await put('reactions', 50);
    await put('realtime', 5);
    await put('files', 50);
    await put('notifier', 7);
    const begun = await restored();
    expect(begun.moved.toSorted((a, b) => a.from - b.from)).toEqual([
      { name: 'notifier', from: 7 },
      { name: 'reactions', from: 50 },
    ]);
    expect(begun.removed).toEqual(['files']);
    const now = await checkpoints();
    expect(now).toMatchObject({ reactions: HEAD, realtime: 5, notifier: HEAD, conversations: 0 });
    expect(now).not.toHaveProperty('files');
    const schemas = await stage.owner.query(`select from pg_namespace where nspname = 'files'`);
    expect(schemas.rowCount).toBe(0);
    expect((await epochsOf(stage.owner)).map(({ epoch }) => epoch)).toEqual([begun.epoch, before.epoch]);
  });

  test('sends nothing of what waited, in a batch or not; what is parked is left to the operator', async () => {
    const candidates = [candidate(1, ada), candidate(2, bob), candidate(3, acme)];
    await stage.outbox.write({ from: 0, to: 3, candidates, fanOuts: [fanOutOf(4, acme, stage.clock)] });
    const [parked, batch] = [uuid(0xba1), uuid(0xba2)];
    await gather(parked);
    await stage.outbox.park(parked, 'no such mailbox');
    await gather(batch);
    expect(await restored()).toMatchObject({ notifications: 2, letters: 0 });
    expect(await stage.outbox.due({ isSlow: false, limit: 9 })).toEqual([]);
    expect(await stage.outbox.unpublished(9)).toEqual([]);
    expect(await stage.outbox.load(batch)).toBeUndefined();
    expect(await stage.fanOuts.isEmpty()).toBe(true);
    expect(await stage.outbox.replay()).toBe(1);
    expect(await stage.outbox.load(parked)).toMatchObject({
      batchId: parked,
      notifications: [expect.anything()],
    });
  });

  test('sends what waited when the operator says so, apart from what is lost', async () => {
    const candidates = [candidate(1, ada), candidate(2, bob)];
    const fanOuts = [fanOutOf(4, acme, stage.clock), fanOutOf(14, acme, stage.clock)];
    await stage.outbox.write({ from: 0, to: 3, candidates, fanOuts });
    await gather(uuid(0xba1));
    expect(await restored({ keepsNotifications: true })).toMatchObject({ notifications: 0, moved: [] });
    expect(await stage.outbox.checkpoint()).toBe(3);
    expect(await stage.outbox.due({ isSlow: false, limit: 9 })).toHaveLength(1);
    expect(await stage.outbox.unpublished(9)).toHaveLength(1);
    expect((await stage.fanOuts.backlog()).count).toBe(1);
    await put('notifier', 50);
    await restored({ keepsNotifications: true });
    expect(await stage.outbox.checkpoint()).toBe(HEAD);
  });

  test('has read markers, seals and idempotency keys that fit the log', async () => {
    const { owner } = stage;
    await owner.query(
      `insert into read_markers (group_id, user_id, seq, total, own) values ($1, $2, 40, 40, 20), ($1, $3, 5, 5, 0)`,
      [groupId, ada.userId, bob.userId],
    );
    await owner.query(
      `insert into seals (place, checkpoint) values ('here', '{"size": 20}'), ('there', '{"size": 9}')`,
    );
    await owner.query(
      `insert into seal_tiles (seal, level, index, position)
       select id, 1, n, 4 * (n + 1) from seals, generate_series(0, 2) n where place = 'here'`,
    );
    await owner.query(
      `insert into idempotency_keys (scope, key, fingerprint, status, body) values ('s', 'k', 'f', 201, '{}')`,
    );
    const last = { size: 8, position: '8' } as never;
    const begun = await restored({
      markers: [{ groupId, userId: ada.userId, seq: 10, total: 9, own: 4 }],
      sealed: { place: 'here', last },
    });
    expect(begun.keys).toBe(1);
    const markers = await owner.query('select seq, total, own from read_markers order by seq');
    expect(markers.rows).toEqual([
      { seq: 5, total: 5, own: 0 },
      { seq: 10, total: 9, own: 4 },
    ]);
    const seals = await owner.query('select place, checkpoint from seals order by place');
    expect(seals.rows).toEqual([
      { place: 'here', checkpoint: last },
      { place: 'there', checkpoint: { size: 9 } },
    ]);
    const tiles = await owner.query('select position from seal_tiles order by position');
    expect(tiles.rows).toEqual([{ position: 4 }, { position: 8 }]);
  });
});
