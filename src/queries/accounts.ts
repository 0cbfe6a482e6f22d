import { type DatabasePool, type FragmentSqlToken, sql } from 'slonik';
import { z } from 'zod';
import { CommandRejected } from '../commands/rejection.ts';
import { Role } from '../events/account.ts';
import { UserId } from '../events/ids.ts';
import { beginningOf } from '../search/characters.ts';
import { type Page, type Paging, cursorOf } from './cursor.ts';

const AccountRow = z.object({
  userId: z.string().brand<'UserId'>(),
  role: Role,
  email: z.string().nullable(),
  displayName: z.string(),
  emailVerified: z.boolean(),
  hasSecondFactor: z.boolean(),
  isSuspended: z.boolean(),
  isErased: z.boolean(),
  createdAt: z.string(),
  rank: z.int(),
  key: z.string(),
});
type Row = z.infer<typeof AccountRow>;

/** An account as operators see it. */
export type ListedAccount = Omit<Row, 'rank' | 'key'>;

/** The columns of credentials `c`, joined with the account `a` where the read model has it already. */
const account = sql.fragment`
  c.user_id as "userId", c.role, case when a.erased_at is null then c.email end as email,
  coalesce(a.display_name, c.display_name) as "displayName", c.email_verified_at is not null as "emailVerified",
  exists (
    select from public.second_factors f where f.user_id = c.user_id and f.activated_at is not null
  ) as "hasSecondFactor",
  c.suspended_at is not null as "isSuspended", a.erased_at is not null as "isErased", c.created_at as "createdAt"`;

const joined = sql.fragment`public.credentials c left join accounts.accounts a on a.user_id = c.user_id`;

const view = ({ rank: _, key: __, ...shown }: Row): ListedAccount => shown;

/**
 * A place among accounts. Without a question they are in the order of their ids, the last first. Those whose addresses
 * begin as asked come before those whose names do, each in the order of what was compared.
 */
const byRank = cursorOf(
  z.strictObject({ rank: z.int().min(0).max(2), key: z.string().max(1_000), userId: UserId }),
);
type Place = NonNullable<ReturnType<typeof byRank.read>>;
const placeOf = ({ rank, key, userId }: Row) => ({ rank, key, userId });

/** Comes after everything that begins with what is before it, byte by byte. */
const LAST = '\u{10ffff}';

const HAS_STATUS = {
  active: sql.fragment`c.suspended_at is null`,
  suspended: sql.fragment`c.suspended_at is not null`,
};

export interface ListAccounts extends Paging {
  /** The id of an account, or the beginning of an address or a name. */
  q?: string | undefined;
  role?: Role | undefined;
  status?: 'active' | 'suspended' | undefined;
}

/** Resolves with accounts, for operators. */
export async function listAccounts(
  db: DatabasePool,
  { q, role, status, cursor, limit }: ListAccounts,
): Promise<Page<ListedAccount>> {
  const after = byRank.read(cursor);
  const hasRole = role === undefined ? sql.fragment`true` : sql.fragment`c.role = ${role}`;
  const isAsked = sql.fragment`${hasRole} and ${status === undefined ? sql.fragment`true` : HAS_STATUS[status]}`;
  const page = (rows: readonly Row[]) => byRank.page(rows, limit, placeOf, view);
  if (q === undefined) {
    const before = after ? sql.fragment`c.user_id < ${after.userId}` : sql.fragment`true`;
    return page(
      await db.any(sql.type(AccountRow)`
        select ${account}, 0 as rank, '' as key from ${joined}
        where ${before} and ${isAsked} order by c.user_id desc limit ${limit + 1}`),
    );
  }
  const { data: userId } = UserId.safeParse(q.trim());
  if (userId !== undefined)
    return page(
      await db.any(sql.type(AccountRow)`
        select ${account}, 0 as rank, '' as key from ${joined} where c.user_id = ${userId} and ${isAsked}`),
    );
  return page(await beginningWith(db, q, { isAsked, after, wanted: limit + 1 }));
}

/** Each of the two steps reads its index from the place on, so a page costs the same wherever it is. */
async function beginningWith(
  db: DatabasePool,
  q: string,
  { isAsked, after, wanted }: { isAsked: FragmentSqlToken; after: Place | undefined; wanted: number },
): Promise<readonly Row[]> {
  const address = q.trim().toLowerCase();
  const name = beginningOf(q.trim());
  const email = sql.fragment`c.email collate "C"`;
  const hasAddress = sql.fragment`${email} >= ${address} and ${email} < ${address + LAST}`;
  /** Returns the condition that a row comes after the page before, among those of its rank. */
  const isNext = (rank: Place['rank'], key: FragmentSqlToken, userId: FragmentSqlToken) =>
    after?.rank === rank
      ? sql.fragment`(${key}, ${userId}) > (${after.key}, ${after.userId}::uuid)`
      : sql.fragment`true`;
  const byAddress =
    address === '' || after?.rank === 2
      ? []
      : await db.any(sql.type(AccountRow)`
          select ${account}, 1 as rank, c.email as key from ${joined}
          where ${hasAddress} and ${isNext(1, email, sql.fragment`c.user_id`)} and a.erased_at is null
            and ${isAsked}
          order by ${email}, c.user_id limit ${wanted}`);
  if (name === '' || byAddress.length >= wanted) return byAddress;
  const beginning = sql.fragment`n.beginning`;
  const byName = await db.any(sql.type(AccountRow)`
    select ${account}, 2 as rank, n.beginning as key
    from accounts.names n join public.credentials c on c.user_id = n.user_id
      left join accounts.accounts a on a.user_id = c.user_id
    where ${beginning} >= ${name} and ${beginning} < ${name + LAST}
      and ${isNext(2, beginning, sql.fragment`n.user_id`)} and ${isAsked}
      and not coalesce(${hasAddress}, false)
    order by n.beginning, n.user_id limit ${wanted - byAddress.length}`);
  return [...byAddress, ...byName];
}

/** Resolves with one account. Throws USER_NOT_FOUND. */
export async function getAccount(db: DatabasePool, { userId }: { userId: UserId }): Promise<ListedAccount> {
  const row = await db.maybeOne(sql.type(AccountRow)`
    select ${account}, 0 as rank, '' as key from ${joined} where c.user_id = ${userId}`);
  if (!row) throw new CommandRejected('USER_NOT_FOUND');
  return view(row);
}
