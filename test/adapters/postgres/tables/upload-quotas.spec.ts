import pg from 'pg';
import { FileId, GroupId, UserId } from '../../../../src/events/ids.ts';
import { createPool } from '../../../../src/adapters/postgres/connection.ts';
import { createUploadQuotas } from '../../../../src/adapters/postgres/tables/upload-quotas.ts';
import { type TestDatabase, createTestDatabase } from '../../../support/stages/database.ts';
import { uuid } from '../../../support/language/example-events.ts';
import { linesOf } from '../../../support/log-lines.ts';

const userId = UserId.parse(uuid(0x1001));
const otherId = UserId.parse(uuid(0x1002));
const groupId = GroupId.parse(uuid(0x2001));
const file = (n: number, size = 10, by = userId) => ({
  fileId: FileId.parse(uuid(0x6000 + n)),
  userId: by,
  groupId,
  size,
});

let database: TestDatabase;
let nodes: pg.Pool[];
let owner: pg.Client;
beforeEach(async () => {
  database = await createTestDatabase();
  const { log } = linesOf('info');
  nodes = [1, 2].map(() => createPool({ url: database.url, max: 6, applicationName: 'test', log }));
  owner = new pg.Client({ connectionString: database.ownerUrl });
  await owner.connect();
});
afterEach(async () => {
  await Promise.all([...nodes.map((node) => node.end()), owner.end()]);
  await database.drop();
});
const quotasOf = (node: number) =>
  createUploadQuotas(nodes[node]!, { bytesPerUserDay: 100, bytesPerGroup: 150 });
const sums = async () => {
  const { rows } = await owner.query(
    `select (select sum(bytes) from upload_bytes_of_users)::int as users,
            (select sum(bytes) from upload_bytes_of_groups)::int as groups`,
  );
  return rows[0] as { users: number; groups: number };
};

describe('upload quotas', () => {
  test('hold across all nodes and concurrent requests', async () => {
    const asked = Array.from({ length: 24 }, (_, n) => quotasOf(n % 2).reserve(file(n)));
    const outcomes = await Promise.all(asked);
    expect(outcomes.filter((outcome) => outcome === 'reserved')).toHaveLength(10);
    expect(new Set(outcomes)).toEqual(new Set(['reserved', 'user']));
    expect(await sums()).toEqual({ users: 100, groups: 100 });
  });

  test('count a file once, even when requested concurrently or at the limit', async () => {
    const asked = Array.from({ length: 8 }, (_, n) => quotasOf(n % 2).reserve(file(1, 100)));
    expect(new Set(await Promise.all(asked))).toEqual(new Set(['reserved']));
    expect(await sums()).toEqual({ users: 100, groups: 100 });
  });

  test('name the group when it is full, and count nothing then', async () => {
    expect(await quotasOf(0).reserve(file(1, 100))).toBe('reserved');
    expect(await quotasOf(0).reserve(file(2, 51, otherId))).toBe('group');
    expect(await quotasOf(0).reserve(file(2, 50, otherId))).toBe('reserved');
    expect(await sums()).toEqual({ users: 150, groups: 150 });
  });

  test('credit a file once', async () => {
    await quotasOf(0).reserve(file(1, 60));
    await quotasOf(0).reserve(file(2, 40));
    await Promise.all([0, 1, 0].map((node) => quotasOf(node).release(file(1).fileId)));
    expect(await sums()).toEqual({ users: 40, groups: 40 });
    expect(await quotasOf(0).reserve(file(3, 60))).toBe('reserved');
  });

  test('of a user start anew each day, those of a group do not', async () => {
    await quotasOf(0).reserve(file(1, 100));
    await owner.query('update upload_bytes_of_users set day = day - 1');
    await owner.query('update upload_reservations set day = day - 1');
    expect(await quotasOf(0).reserve(file(2, 50))).toBe('reserved');
    expect(await sums()).toEqual({ users: 50, groups: 150 });
    // The file counts for yesterday, so today's sum stays.
    await quotasOf(0).release(file(1).fileId);
    expect(await sums()).toEqual({ users: 50, groups: 50 });
  });

  test('are credited when an upload never became a file', async () => {
    await quotasOf(0).reserve(file(1, 30));
    await quotasOf(0).reserve(file(2, 40));
    await quotasOf(0).confirm(file(2).fileId);
    await quotasOf(0).releaseUnconfirmed(new Date(Date.now() - 60_000));
    expect(await sums()).toEqual({ users: 70, groups: 70 });
    await quotasOf(0).releaseUnconfirmed(new Date(Date.now() + 60_000));
    expect(await sums()).toEqual({ users: 40, groups: 40 });
  });
});
