import type { Actor } from '../../src/commands/command.ts';
import { UserId } from '../../src/events/ids.ts';
import { type ListAccounts, getAccount, listAccounts } from '../../src/queries/accounts.ts';
import { event, registered, uuid } from '../support/language/example-events.ts';
import { type ReadSide, openReadSide } from '../support/stages/read-side.ts';

let side: ReadSide;
const names = new Map<string, string>();
let people = 0;

/** An account with a name and an address, also in the log. */
async function account(
  displayName: string,
  { email, role = 'applicant' }: { email?: string | null; role?: Actor['role'] } = {},
): Promise<UserId> {
  people += 1;
  const userId = UserId.parse(uuid(0x1000 + people));
  names.set(userId, displayName);
  await side.owner.query(
    `insert into credentials (user_id, email, password_hash, role, display_name, registered) values ($1, $2, $3, $4, $5, true)`,
    [userId, email === undefined ? `person${people}@example.org` : email, 'a hash', role, displayName],
  );
  await side.happened(registered({ userId, role }, displayName));
  return userId;
}

beforeAll(async () => {
  side = await openReadSide();
});
afterAll(() => side.close());
beforeEach(async () => {
  await side.owner.query('delete from credentials');
});

/** Resolves with the names of the accounts that are found, page by page. */
async function found(asked: Omit<ListAccounts, 'limit' | 'cursor'>, limit = 2): Promise<string[]> {
  const all: string[] = [];
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page = await listAccounts(side.db, { ...asked, cursor, limit });
    expect(page.data.length).toBeLessThanOrEqual(limit);
    all.push(...page.data.map(({ userId }) => names.get(userId)!));
    cursor = page.nextCursor;
  }
  return all;
}

describe('accounts, for operators', () => {
  test('are listed from the last to the first, page by page', async () => {
    for (const name of ['Ada', 'Bob', 'Carol', 'Dan', 'Eve']) await account(name);
    expect(await found({})).toEqual(['Eve', 'Dan', 'Carol', 'Bob', 'Ada']);
  });

  test('are found by id, in any case and between spaces', async () => {
    const ada = await account('Ada');
    await account('Bob');
    expect(await found({ q: ` ${ada.toUpperCase()} ` })).toEqual(['Ada']);
    expect(await found({ q: uuid(0xfff) })).toEqual([]);
  });

  test('are found by the beginning of an address, and then of a name, each once', async () => {
    await account('Zoe', { email: 'ada@example.org' });
    await account('Yan', { email: 'adam@example.org' });
    await account('Ada', { email: 'ada.byron@example.org' });
    await account('Adam', { email: 'smith@example.org' });
    await account('Adele', { email: null });
    await account('Lord Adam', { email: 'x.ada@example.org' });
    expect(await found({ q: 'ada' })).toEqual(['Ada', 'Zoe', 'Yan', 'Adam']);
    expect(await found({ q: 'ADA' }, 3)).toEqual(['Ada', 'Zoe', 'Yan', 'Adam']);
    expect(await found({ q: 'ad' }, 1)).toEqual(['Ada', 'Zoe', 'Yan', 'Adam', 'Adele']);
    expect(await found({ q: 'ada@example.org' })).toEqual(['Zoe']);
  });

  test.each([
    ['ÅS', 'åsa', 'Åsa'],
    ['straß', 'Straßer', 'Strasser'],
    ['стра', 'СТРАННИК', 'Странник'],
    ['李', '李小龍', '李小龙'],
    ['ﻋﻤ', 'عمر', 'عمرو'],
    ['👩', '👩‍🚀 Ada', '👩 Bea'],
  ])('are found by names in other scripts: %s', async (q, one, other) => {
    await account(one);
    await account(other);
    await account('Nobody');
    expect((await found({ q })).toSorted()).toEqual([one, other].toSorted());
  });

  test.each(['%', '_', '\\', "'", '"', 'a%', '\u{10ffff}', '   ', '\\%', '*', '.', '\u0301'])(
    'are not found by what means something elsewhere: %j',
    async (q) => {
      await account('Ada');
      await account('Bob');
      expect(await found({ q })).toEqual([]);
    },
  );

  test.each(['100% Ada', '_Ada_', '\\Ada', "O'Ada", '.Ada'])(
    'are found as they are written: %s',
    async (name) => {
      await account(name);
      await account('Ada');
      expect(await found({ q: name.slice(0, 2) })).toEqual([name]);
    },
  );

  test('are found by their newest name, and not once they are erased', async () => {
    const userId = await account('Ada', { email: 'erased@example.org' });
    await side.happened(event('ProfileChanged', { userId, displayName: 'Grace' }));
    expect([await found({ q: 'ada' }), await found({ q: 'grac' })]).toEqual([[], ['Ada']]);
    const erasureId = uuid(0x77) as never;
    await side.happened(
      event('ErasureRequested', { userId, erasureId, dueAt: '2026-01-02T03:04:05.678Z' }),
      event('AccountErased', { userId, erasureId }),
    );
    expect([await found({ q: 'grac' }), await found({ q: 'erased' }), await found({ q: '[erased' })]).toEqual(
      [...[[], [], []]],
    );
    expect(await getAccount(side.db, { userId })).toMatchObject({ email: null, isErased: true });
  });

  test('with a name as long as it gets in full are indexed', async () => {
    // Each of these becomes eighteen letters.
    await account('\ufdfa'.repeat(100));
    expect(await found({ q: '\ufdfa' })).toHaveLength(1);
  });

  test('are filtered by role and state, with a question and without', async () => {
    await account('Acme', { role: 'company' });
    await account('Ada');
    const adam = await account('Adam');
    await side.owner.query('update credentials set suspended_at = now() where user_id = $1', [adam]);
    expect(await found({ role: 'company' })).toEqual(['Acme']);
    expect(await found({ status: 'suspended' })).toEqual(['Adam']);
    expect(await found({ status: 'active' })).toEqual(['Ada', 'Acme']);
    expect(await found({ q: 'a', role: 'applicant', status: 'active' })).toEqual(['Ada']);
    expect(await found({ q: adam, status: 'active' })).toEqual([]);
  });

  test('that the log has not got yet are listed by the name of their registration', async () => {
    const userId = UserId.parse(uuid(0xabc));
    await side.owner.query(
      `insert into credentials (user_id, email, password_hash, role, display_name) values ($1, 'new@example.org', 'x', 'applicant', 'New')`,
      [userId],
    );
    expect((await listAccounts(side.db, { q: 'new@', limit: 5 })).data).toMatchObject([
      { displayName: 'New', isErased: false },
    ]);
  });

  test('refuse a cursor of another list', async () => {
    await expect(listAccounts(side.db, { cursor: 'e30', limit: 1 })).rejects.toThrow();
  });
});
