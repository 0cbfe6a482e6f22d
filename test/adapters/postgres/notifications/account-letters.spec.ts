import { randomBytes, randomUUID } from 'node:crypto';
import pg from 'pg';
import { EmailTaken } from '../../../../src/auth/credentials.ts';
import { UserId } from '../../../../src/events/ids.ts';
import { deleteInSlices } from '../../../../src/adapters/postgres/delete-in-slices.ts';
import { EXPIRED } from '../../../../src/adapters/postgres/housekeeping.ts';
import { createAccountLetterFacts } from '../../../../src/adapters/postgres/notifications/account-letters.ts';
import { createCredentials } from '../../../../src/adapters/postgres/tables/credentials.ts';
import { createSessionStore } from '../../../../src/adapters/postgres/tables/sessions.ts';
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

async function newAccount({ isVerified = true } = {}) {
  const userId = UserId.parse(randomUUID());
  const email = `${userId}@example.org`;
  const credentials = createCredentials(pool);
  await credentials.add({ userId, email, passwordHash: 'a hash', role: 'company', displayName: 'Acme' });
  if (isVerified) await credentials.confirmEmail(userId, email);
  return { credentials, userId, email };
}
async function lettersTo(address: string) {
  const { rows } = await pool.query<{ letterId: string; kind: string }>(
    'select letter_id as "letterId", kind from account_letters where address = $1 order by written_at',
    [address],
  );
  return rows;
}
async function newReset({ credentials, email }: Awaited<ReturnType<typeof newAccount>>): Promise<string> {
  await credentials.sendReset(email);
  return (await lettersTo(email)).at(-1)!.letterId;
}
const open = (userId: UserId, passwordVersion = 0, sessionId = randomUUID() as string) =>
  createSessionStore(pool).open({
    ...{ sessionId, userId, passwordVersion },
    tokenHash: randomBytes(32),
    userAgent: null,
  });
const many = <T>(work: (n: number) => Promise<T>) =>
  Promise.all(Array.from({ length: 20 }, (_, n) => work(n)));

describe('account letters in PostgreSQL', () => {
  test('are written together with the account, or not at all', async () => {
    const { credentials, email } = await newAccount({ isVerified: false });
    expect(await lettersTo(email)).toMatchObject([{ kind: 'verification' }]);
    const other = { userId: UserId.parse(randomUUID()), email, passwordHash: '', displayName: 'Eve' };
    await expect(credentials.add({ ...other, role: 'company' })).rejects.toThrow(EmailTaken);
    expect(await lettersTo(email)).toHaveLength(1);
  });

  test('are limited to three, however many are requested at once, until a day has passed', async () => {
    const { credentials, userId, email } = await newAccount({ isVerified: false });
    const sent = await many(() => credentials.sendVerification(userId, email));
    expect(sent.filter(Boolean)).toHaveLength(2);
    await many(() => credentials.sendReset(email));
    const kinds = (await lettersTo(email)).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'verification')).toHaveLength(3);
    expect(kinds.filter((kind) => kind === 'password-reset')).toHaveLength(3);
    await pool.query(
      `update account_letters set written_at = written_at - interval '1 day' where address = $1`,
      [email],
    );
    expect(await credentials.sendVerification(userId, email)).toBe(true);
  });

  test('for resets become verification letters only while the address may receive one', async () => {
    const account = await newAccount({ isVerified: false });
    const facts = createAccountLetterFacts(pool);
    expect(await facts.owner(account.email)).toEqual({ userId: account.userId, isVerified: false });
    const resets = [await newReset(account), await newReset(account), await newReset(account)];
    const turned = await Promise.all(resets.map((id) => facts.turnIntoVerification(id, account.userId)));
    expect(turned.filter(Boolean)).toHaveLength(2);
    expect(await facts.turnIntoVerification(randomUUID(), account.userId)).toBe(false);
  });

  test('are deleted a day after they were sent', async () => {
    const { credentials, email } = await newAccount();
    await credentials.sendReset(email);
    const { letterId } = (await lettersTo(email))[0]!;
    await pool.query(
      `update notification_batches set done_at = now() - interval '25 hours' where batch_id = $1`,
      [letterId],
    );
    const batches = EXPIRED.find(({ table }) => table === 'notification_batches')!;
    expect(await deleteInSlices(pool, batches, { now: new Date() })).toBe(1);
    expect((await lettersTo(email)).map((letter) => letter.letterId)).not.toContain(letterId);
  });
});

describe('a password in PostgreSQL', () => {
  test('is reset once by concurrent uses of one letter, or of several letters of one account', async () => {
    const account = await newAccount();
    const letters = [await newReset(account), await newReset(account), await newReset(account)];
    const ended = await many((n) => account.credentials.resetPassword(letters[n % 3]!, `hash ${n}`));
    expect(ended.filter((each) => each !== undefined)).toEqual([[]]);
    const { passwordHash, passwordVersion } = (await account.credentials.ofUser(account.userId))!;
    expect(passwordHash).toBe(`hash ${ended.findIndex((each) => each !== undefined)}`);
    expect(passwordVersion).toBe(1);
    for (const letter of letters) expect(await account.credentials.ofReset(letter)).toBeUndefined();
  });

  test('is not reset by a letter to an unverified or former address', async () => {
    const unproved = await newAccount({ isVerified: false });
    const account = await newAccount();
    const letter = await newReset(account);
    await account.credentials.awaitEmail(account.userId, `new-${account.email}`);
    await account.credentials.confirmEmail(account.userId, `new-${account.email}`);
    for (const id of [await newReset(unproved), letter, randomUUID()]) {
      expect(await account.credentials.ofReset(id)).toBeUndefined();
      expect(await account.credentials.resetPassword(id, 'another hash')).toBeUndefined();
    }
  });

  test('ends every session except a kept one when changed, and opens no session with the old password', async () => {
    const { credentials, userId } = await newAccount();
    const sessions = [randomUUID(), randomUUID(), randomUUID()] as string[];
    for (const sessionId of sessions) expect(await open(userId, 0, sessionId)).toBe(true);
    const kept = sessions[1]!;
    expect(await credentials.replacePassword(userId, 'b', { version: 7, kept })).toBeUndefined();
    const ended = await credentials.replacePassword(userId, 'b', { version: 0, kept });
    expect(ended!.toSorted()).toEqual(sessions.filter((id) => id !== kept).toSorted());
    const left = await createSessionStore(pool).ofUser(userId);
    expect(left.map(({ sessionId }) => sessionId)).toEqual([kept]);
    expect(await open(userId, 0)).toBe(false);
    expect(await open(userId, 1)).toBe(true);
    expect(await credentials.replacePassword(userId, 'c')).toHaveLength(2);
  });

  test('leaves no session with the old password open, even with concurrent logins', async () => {
    const { credentials, userId } = await newAccount();
    await Promise.all([
      many(() => open(userId)),
      credentials.replacePassword(userId, 'another hash'),
      many(() => open(userId)),
    ]);
    expect(await createSessionStore(pool).ofUser(userId)).toEqual([]);
  });
});

describe('an address in PostgreSQL', () => {
  test('belongs to one account once it is confirmed', async () => {
    const { credentials, userId, email } = await newAccount({ isVerified: false });
    const wanted = `new-${email}`;
    const other = await newAccount();
    for (const each of [userId, other.userId]) await credentials.awaitEmail(each, wanted);
    expect(await credentials.ofUser(userId)).toMatchObject({ email, newEmail: wanted, emailVerified: false });
    expect(await credentials.confirmEmail(userId, 'another@example.org')).toBe(false);
    expect(await credentials.confirmEmail(userId, email)).toBe(true);
    expect(await credentials.ofUser(userId)).toMatchObject({ email, newEmail: wanted, emailVerified: true });
    expect(await credentials.confirmEmail(userId, wanted)).toBe(true);
    expect(await credentials.ofUser(userId)).toMatchObject({ email: wanted, newEmail: null });
    await expect(credentials.confirmEmail(other.userId, wanted)).rejects.toThrow(EmailTaken);
  });

  test('is marked as verified or not by an operator, for one account or all', async () => {
    const one = await newAccount({ isVerified: false });
    const other = await newAccount();
    const { credentials } = one;
    const areVerified = async () =>
      Promise.all([one, other].map(async ({ userId }) => (await credentials.ofUser(userId))!.emailVerified));
    expect(await credentials.vouch(true, one.userId)).toBe(1);
    expect(await credentials.vouch(true, one.userId)).toBe(0);
    expect(await areVerified()).toEqual([true, true]);
    expect(await credentials.vouch(false)).toBeGreaterThanOrEqual(2);
    expect(await areVerified()).toEqual([false, false]);
    await credentials.vouch(true);
    expect(await areVerified()).toEqual([true, true]);
  });
});
