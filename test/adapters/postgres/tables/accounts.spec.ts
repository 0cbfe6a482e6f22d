import { randomBytes, randomUUID } from 'node:crypto';
import pg from 'pg';
import { EmailTaken } from '../../../../src/auth/credentials.ts';
import { UserId } from '../../../../src/events/ids.ts';
import { createCredentials } from '../../../../src/adapters/postgres/tables/credentials.ts';
import {
  createRevokedSessions,
  createSessionStore,
} from '../../../../src/adapters/postgres/tables/sessions.ts';
import { createSigningKeyStore } from '../../../../src/adapters/postgres/tables/signing-keys.ts';
import { silent } from '../../../support/stages/auth-stage.ts';
import { type TestDatabase, createTestDatabase } from '../../../support/stages/database.ts';

let database: TestDatabase;
let pool: pg.Pool;
beforeAll(async () => {
  database = await createTestDatabase();
  pool = new pg.Pool({ connectionString: database.url, max: 8 });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

const newCredential = (email: string) => ({
  userId: UserId.parse(randomUUID()),
  email,
  passwordHash: 'a hash',
  role: 'company' as const,
  displayName: 'Company',
});

const newSession = (userId: UserId, passwordVersion = 0) => ({
  sessionId: randomUUID() as string,
  userId,
  passwordVersion,
  tokenHash: randomBytes(32),
  userAgent: null,
});

describe('Credentials in PostgreSQL', () => {
  test('are read as they were stored, not yet registered', async () => {
    const credentials = createCredentials(pool);
    const added = newCredential('one@example.org');
    await credentials.add(added);
    const kept = {
      ...added,
      registered: false,
      emailVerified: false,
      newEmail: null,
      passwordVersion: 0,
      hasSecondFactor: false,
      isSuspended: false,
    };
    expect(await credentials.ofEmail(added.email)).toStrictEqual(kept);
    expect(await credentials.ofUser(added.userId)).toStrictEqual(kept);
    expect(await credentials.unregistered()).toStrictEqual([kept]);
    await credentials.markRegistered(added.userId);
    await credentials.renewPasswordHash({ ...added, passwordHash: 'not its hash' }, 'a wrong hash');
    await credentials.renewPasswordHash(added, 'another hash');
    expect(await credentials.unregistered()).toHaveLength(0);
    expect(await credentials.list()).toStrictEqual([
      { ...kept, registered: true, passwordHash: 'another hash' },
    ]);
  });

  test('are undefined without an account', async () => {
    const credentials = createCredentials(pool);
    expect(await credentials.ofEmail('nobody@example.org')).toBeUndefined();
    expect(await credentials.ofUser(UserId.parse(randomUUID()))).toBeUndefined();
  });

  test('are unique per address; other errors are not mistaken for a taken address', async () => {
    const credentials = createCredentials(pool);
    const first = newCredential('two@example.org');
    await credentials.add(first);
    await expect(credentials.add(newCredential('two@example.org'))).rejects.toThrow(EmailTaken);
    await expect(credentials.add({ ...first, email: 'three@example.org' })).rejects.toThrow(
      'credentials_pkey',
    );
  });
});

describe('generated keys', () => {
  test('are the same for all concurrent and later callers', async () => {
    const store = createSigningKeyStore(pool);
    const kept = await Promise.all(
      Array.from({ length: 8 }, () => store.keep('a key', () => randomBytes(8).toString('hex'))),
    );
    expect(new Set(kept).size).toBe(1);
    expect(await createSigningKeyStore(pool).keep('a key', () => 'too late')).toBe(kept[0]);
  });
});

describe('sessions in PostgreSQL', () => {
  test('of one user end together, with a notification', async () => {
    const credentials = createCredentials(pool);
    const store = createSessionStore(pool);
    const [ada, bob] = [newCredential('ada@example.org'), newCredential('bob@example.org')];
    for (const each of [ada, bob]) await credentials.add(each);
    const sessionIds = [randomUUID(), randomUUID()].toSorted();
    for (const sessionId of sessionIds) await store.open({ ...newSession(ada.userId), sessionId });
    await store.open(newSession(bob.userId));

    const listener = new pg.Client({ connectionString: database.url });
    await listener.connect();
    await listener.query('listen session_revoked');
    const heard: (string | undefined)[] = [];
    listener.on('notification', ({ payload }) => heard.push(payload));

    expect((await store.revokeAllOf(ada.userId)).toSorted()).toStrictEqual(sessionIds);
    // Notifications arrive before the answer to the next query on the connection.
    await listener.query('select');
    expect(heard.toSorted()).toStrictEqual(sessionIds);
    await listener.end();
    expect(await store.revokeAllOf(ada.userId)).toStrictEqual([]);
    const revoked = createRevokedSessions({ pool, url: database.url, log: silent });
    expect((await revoked.endedWithin(60)).toSorted()).toStrictEqual(sessionIds);
    await pool.query(`update sessions set revoked_at = revoked_at - interval '61 s'`);
    expect(await revoked.endedWithin(60)).toStrictEqual([]);
  });

  test('are deleted with the credentials of their user', async () => {
    const credentials = createCredentials(pool);
    const eve = newCredential('eve@example.org');
    await credentials.add(eve);
    const session = newSession(eve.userId);
    const { sessionId } = session;
    await createSessionStore(pool).open(session);
    await pool.query('delete from credentials where user_id = $1', [eve.userId]);
    const { rows } = await pool.query('select from refresh_tokens where session_id = $1', [sessionId]);
    expect(rows).toHaveLength(0);
  });
});
