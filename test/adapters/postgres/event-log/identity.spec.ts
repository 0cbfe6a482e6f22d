import pg from 'pg';
import type { LogIdentity } from '../../../../src/adapters/postgres/event-log/identity.ts';
import { OtherLog, identify, requireSameLog } from '../../../../src/adapters/postgres/event-log/identity.ts';
import { newStream, say } from '../../../support/language/appends.ts';
import { type TestDatabase, createTestDatabase } from '../../../support/stages/database.ts';
import { createInMemoryEventStore } from '../../../support/language/in-memory-event-store.ts';

let database: TestDatabase;
let pool: pg.Pool;
beforeEach(async () => {
  database = await createTestDatabase();
  pool = new pg.Pool({ connectionString: database.url, max: 2 });
});
afterEach(async () => {
  await pool.end();
  await database.drop();
});

const [one, other] = ['0197a000-0000-7000-8000-000000000001', '0197a000-0000-7000-8000-000000000002'];
const eventStoreDb = (id?: string, position = 142): LogIdentity => ({
  kind: 'eventstoredb',
  first: id === undefined ? undefined : { id, position },
});
const postgresql: LogIdentity = { kind: 'postgresql', first: undefined };

describe('the log that a database follows', () => {
  test('is the first one that it is started with, also once it has events', async () => {
    for (const identity of [eventStoreDb(), eventStoreDb(), eventStoreDb(one), eventStoreDb(one)])
      await requireSameLog(pool, identity);
    await expect(requireSameLog(pool, eventStoreDb())).rejects.toThrow('but this one is empty');
  });

  test('is not a log of another kind', async () => {
    await requireSameLog(pool, eventStoreDb());
    await expect(requireSameLog(pool, postgresql)).rejects.toThrow(
      'This database follows the log in EventStoreDB, not the log in PostgreSQL',
    );
    await requireSameLog(pool, eventStoreDb(one));
  });

  test.each([
    ['with another first event', eventStoreDb(other)],
    ['with the same first event at another position', eventStoreDb(one, 143)],
  ])('is not a log %s', async (_, identity) => {
    await requireSameLog(pool, eventStoreDb(one));
    await expect(requireSameLog(pool, identity)).rejects.toThrow(OtherLog);
  });

  test('is the same for all processes that start at once', async () => {
    const identities = [eventStoreDb(one), eventStoreDb(other), eventStoreDb(one), eventStoreDb(other)];
    const outcomes = await Promise.allSettled(identities.map((identity) => requireSameLog(pool, identity)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
  });

  test('is identified by its first event', async () => {
    const store = createInMemoryEventStore();
    expect(await identify('postgresql', store)).toEqual(postgresql);
    await store.append(say(newStream(), 'first'));
    await store.append(say(newStream(), 'second'));
    const [first] = await store.readAll({ after: 0, limit: 1 });
    expect(await identify('postgresql', store)).toEqual({
      kind: 'postgresql',
      first: { id: first!.id, position: 1 },
    });
  });
});
