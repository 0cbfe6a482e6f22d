import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { UserId } from '../../../../src/events/ids.ts';
import { MAX_SUBSCRIPTIONS } from '../../../../src/notifications/deliver/push-subscriptions.ts';
import { createCredentials } from '../../../../src/adapters/postgres/tables/credentials.ts';
import { createPushSubscriptions } from '../../../../src/adapters/postgres/notifications/push-subscriptions.ts';
import { type TestDatabase, createTestDatabase } from '../../../support/stages/database.ts';

describe('push subscriptions in PostgreSQL', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let subscriptions: ReturnType<typeof createPushSubscriptions>;
  beforeAll(async () => {
    database = await createTestDatabase();
    pool = new pg.Pool({ connectionString: database.url, max: 4 });
    subscriptions = createPushSubscriptions(pool);
  });
  afterAll(async () => {
    await pool.end();
    await database.drop();
  });

  async function somebody(): Promise<UserId> {
    const userId = UserId.parse(randomUUID());
    const email = `${userId}@example.org`;
    await createCredentials(pool).add({
      userId,
      email,
      passwordHash: 'a hash',
      role: 'applicant',
      displayName: 'Ada',
    });
    return userId;
  }
  const browser = (auth = 'an auth secret') => ({
    endpoint: `https://push.example.org/${randomUUID()}`,
    keys: { p256dh: 'a key', auth },
  });

  test('are listed in the order of their creation, and are new once', async () => {
    const userId = await somebody();
    const [phone, laptop] = [browser(), browser()];
    expect(await subscriptions.ofUser(userId)).toStrictEqual([]);
    expect(await subscriptions.add(userId, phone)).toBe(true);
    expect(await subscriptions.add(userId, laptop)).toBe(true);
    expect(await subscriptions.add(userId, laptop)).toBe(false);
    expect(await subscriptions.ofUser(userId)).toStrictEqual([phone, laptop]);
  });

  test('are kept, but not used, while the account is suspended', async () => {
    const userId = await somebody();
    const phone = browser();
    await subscriptions.add(userId, phone);
    const credentials = createCredentials(pool);
    await credentials.suspend(userId);
    expect(await subscriptions.ofUser(userId)).toStrictEqual([]);
    await credentials.restore(userId);
    expect(await subscriptions.ofUser(userId)).toStrictEqual([phone]);
  });

  test('get new keys when they are made again', async () => {
    const userId = await somebody();
    const first = browser();
    const again = { ...first, keys: { p256dh: 'another key', auth: 'another secret' } };
    await subscriptions.add(userId, first);
    await subscriptions.add(userId, again);
    expect(await subscriptions.ofUser(userId)).toStrictEqual([again]);
  });

  test('belong to the latest subscriber', async () => {
    const [ada, bob] = [await somebody(), await somebody()];
    const shared = browser();
    await subscriptions.add(ada, shared);
    expect(await subscriptions.add(bob, shared)).toBe(true);
    expect(await subscriptions.ofUser(ada)).toStrictEqual([]);
    expect(await subscriptions.ofUser(bob)).toStrictEqual([shared]);
  });

  test('are limited in number: the oldest is dropped', async () => {
    const userId = await somebody();
    const [oldest, ...others] = Array.from({ length: MAX_SUBSCRIPTIONS + 1 }, () => browser());
    for (const each of [oldest!, ...others]) await subscriptions.add(userId, each);
    expect(await subscriptions.ofUser(userId)).toStrictEqual(others);
  });

  test('are removed by their own user only', async () => {
    const [ada, bob] = [await somebody(), await somebody()];
    const mine = browser();
    await subscriptions.add(ada, mine);
    expect(await subscriptions.remove(bob, mine.endpoint)).toBe(false);
    expect(await subscriptions.ofUser(ada)).toStrictEqual([mine]);
    expect(await subscriptions.remove(ada, mine.endpoint)).toBe(true);
    expect(await subscriptions.remove(ada, mine.endpoint)).toBe(false);
    expect(await subscriptions.ofUser(ada)).toStrictEqual([]);
  });

  test('are removed when the push service reports them as expired, whatever their user', async () => {
    const userId = await somebody();
    const [gone, kept] = [browser(), browser()];
    await subscriptions.add(userId, gone);
    await subscriptions.add(userId, kept);
    await subscriptions.drop(gone.endpoint);
    await subscriptions.drop(gone.endpoint);
    expect(await subscriptions.ofUser(userId)).toStrictEqual([kept]);
  });

  test('are deleted with the credentials of their user', async () => {
    const userId = await somebody();
    await subscriptions.add(userId, browser());
    await pool.query('delete from credentials where user_id = $1', [userId]);
    expect(await subscriptions.ofUser(userId)).toStrictEqual([]);
  });

  test('accept an endpoint of the maximum length', async () => {
    const userId = await somebody();
    const endpoint = `https://push.example.org/${Array.from({ length: 60 }, () => randomUUID()).join('')}`
      .padEnd(2_048, 'x')
      .slice(0, 2_048);
    expect(await subscriptions.add(userId, { ...browser(), endpoint })).toBe(true);
    expect(await subscriptions.remove(userId, endpoint)).toBe(true);
  });
});
