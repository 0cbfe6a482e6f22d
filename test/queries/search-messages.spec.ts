import fc from 'fast-check';
import { toProblem } from '../../src/protocol/problem.ts';
import { type GroupId, UserId } from '../../src/events/ids.ts';
import { termsOf } from '../../src/search/terms.ts';
import { uuid } from '../support/language/example-events.ts';
import { type ReadSide, openReadSide } from '../support/stages/read-side.ts';

const person = (n: number) => UserId.parse(uuid(n));
/**
 * The owner of many groups, a guest in as many groups of different owners, a member of a few, and a former
 * member of all.
 */
const searchers = { owner: person(1), guest: person(2), few: person(3), former: person(4) };
/** Enough groups to be looked up in another way than a few. */
const MANY = 1_100;
const owns = (n: number) => uuid(0x10_0000 + n);
const foreign = (n: number) => uuid(0x20_0000 + n);

interface Row {
  id: string;
  groupId: string;
  ownerId: string;
  position: number;
  text: string;
}
/** Spreads the messages over more of the log than any stretch that is searched at once. */
const SPACING = 60;
const rows: Row[] = Array.from({ length: 6_000 }, (_, index) => {
  const group = (index * 7_919) % MANY;
  const isForeign = index % 3 === 0;
  const words = [
    index % 2 === 0 && 'frequent',
    index % 97 === 0 && 'medium',
    (index === 11 || index === 5_901) && 'rare',
    isForeign && 'elsewhere',
    index < 600 && 'once',
    index % 89 === 0 && 'café',
    index % 101 === 0 && 'cafe',
  ];
  return {
    id: uuid(0x40_0000 + index),
    groupId: isForeign ? foreign(group) : owns(group),
    ownerId: isForeign ? uuid(0x30_0000 + group) : searchers.owner,
    position: 1 + index * SPACING + (index % 5),
    text: words.filter(Boolean).join(' '),
  };
});

const isMember: Record<keyof typeof searchers, (row: Row) => boolean> = {
  owner: ({ ownerId }) => ownerId === searchers.owner,
  guest: ({ ownerId }) => ownerId !== searchers.owner,
  few: ({ groupId }) => [owns(1), owns(2), foreign(3)].includes(groupId),
  former: () => false,
};

let side: ReadSide;
beforeAll(async () => {
  side = await openReadSide();
  await side.projections.stop();
  await side.owner.query(
    `insert into chat_groups.groups
       (group_id, name, owner_id, status, roster, member_count, created_at, position)
     select g, 'A group', o, 'open', 1, 2, now(), 0 from unnest($1::uuid[], $2::uuid[]) b (g, o)`,
    groupColumns(),
  );
  const member = (user: string, condition: string, isActive = true) =>
    side.owner.query(
      `insert into chat_groups.members (group_id, user_id, owner_id, role, is_joined, is_active, joined_at, roster)
       select group_id, $1, owner_id, 'member', $2, $2, now(), 1 from chat_groups.groups where ${condition}`,
      [user, isActive],
    );
  await member(searchers.owner, `owner_id = '${searchers.owner}'`);
  await member(searchers.guest, `owner_id <> '${searchers.owner}'`);
  await member(searchers.few, `group_id in ('${owns(1)}', '${owns(2)}', '${foreign(3)}')`);
  await member(searchers.former, 'true', false);
  await insert(rows);
  await side.owner.query('update public.checkpoints set position = $1', [rows.at(-1)!.position]);
});
afterAll(() => side.close());

const insert = (messages: readonly Row[]) =>
  side.owner.query(
    `insert into conversations.messages
       (message_id, group_id, owner_id, position, text, terms, seq, sender_id, client_msg_id, file_ids,
        sent_at, changed_seq, ordinal)
     select b.*, position, group_id, message_id, '{}', now(), position, 0
     from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::text[], $6::text[]::tsvector[])
       b (message_id, group_id, owner_id, position, text, terms)`,
    [
      messages.map(({ id }) => id),
      messages.map(({ groupId }) => groupId),
      messages.map(({ ownerId }) => ownerId),
      messages.map(({ position }) => position),
      messages.map(({ text }) => text),
      messages.map(({ text }) => termsOf(text)),
    ],
  );

function groupColumns() {
  const numbers = Array.from({ length: MANY }, (_, n) => n);
  return [
    [...numbers.map(owns), ...numbers.map(foreign)],
    [...numbers.map(() => searchers.owner), ...numbers.map((n) => uuid(0x30_0000 + n))],
  ];
}

const WORDS = ['frequent', 'medium', 'rare', 'elsewhere', 'once', 'nothing'];
type Searcher = keyof typeof searchers;
const someone = fc.constantFrom(...(Object.keys(searchers) as Searcher[]));

/** Returns the ids of all hits, newest first, from a scan of all rows. */
const hits = (who: Searcher, word: string, before = Infinity) =>
  rows
    .filter((row) => row.position < before && row.text.split(' ').includes(word) && isMember[who](row))
    .map(({ id }) => id)
    .reverse();

const search = (who: Searcher, q: string, limit: number, cursor?: string) =>
  side.queries.searchMessages({ userId: searchers[who], q, limit, cursor });
const ids = ({ data }: { data: { id: string }[] }) => data.map(({ id }) => id);

describe('a search in many groups', () => {
  test('finds exactly the newest hits of the searcher, from any cursor', () =>
    fc.assert(
      fc.asyncProperty(
        someone,
        fc.constantFrom(...WORDS),
        fc.integer({ min: 1, max: 100 }),
        fc.option(fc.integer({ min: 0, max: rows.length * (SPACING + 5) }), { nil: undefined }),
        async (who, word, limit, position) => {
          const cursor = position && Buffer.from(JSON.stringify({ position })).toString('base64url');
          const found = await search(who, word, limit, cursor || undefined);
          const expected = hits(who, word, position || undefined);
          expect(ids(found)).toEqual(expected.slice(0, limit));
          expect(found.nextCursor !== null).toBe(expected.length > limit);
        },
      ),
      { numRuns: 100 },
    ));

  test.each(['owner', 'guest', 'few'] as const)('is paged without holes for the %s', async (who) => {
    const found: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await search(who, 'once', 40, cursor);
      found.push(...ids(page));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(found).toEqual(hits(who, 'once'));
  });

  test('finds the same in one group', async () => {
    const groupId = owns(1) as GroupId;
    const found = await side.queries.searchMessages({
      userId: searchers.few,
      q: 'frequent',
      groupId,
      limit: 50,
    });
    const inGroup = new Set(rows.filter((row) => row.groupId === groupId).map(({ id }) => id));
    expect(ids(found)).toEqual(hits('few', 'frequent').filter((id) => inGroup.has(id)));
  });

  test('excludes a group once the membership ends', async () => {
    const lost = rows.findLast((row) => isMember.owner(row) && row.text.includes('frequent'))!;
    const setActive = (isActive: boolean) =>
      side.owner.query('update chat_groups.members set is_active = $3 where group_id = $1 and user_id = $2', [
        lost.groupId,
        searchers.owner,
        isActive,
      ]);
    expect(ids(await search('owner', 'frequent', 1))).toEqual([lost.id]);
    await setActive(false);
    expect(ids(await search('owner', 'frequent', 100))).not.toContain(lost.id);
    await setActive(true);
  });
});

describe.each([
  ['café', 'cafe'],
  ['cafe', 'café'],
])('a search for %s', (typed, other) => {
  test.each(['owner', 'guest', 'few'] as const)(
    'finds these words first and then those with other accents, page by page, for the %s',
    async (who) => {
      const found: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await search(who, typed, 7, cursor);
        found.push(...ids(page));
        cursor = page.nextCursor ?? undefined;
      } while (cursor !== undefined);
      const asTyped = hits(who, typed);
      expect(found).toEqual([...asTyped, ...hits(who, other).filter((id) => !asTyped.includes(id))]);
    },
  );
});

test('A search excludes exactly what is negated', async () => {
  const found = await search('owner', '-frequent', 100);
  const expected = rows.filter((row) => isMember.owner(row) && /^(?!.*frequent)./.test(row.text));
  expect(ids(found)).toEqual(
    expected
      .map(({ id }) => id)
      .toReversed()
      .slice(0, 100),
  );
});

/**
 * PostgreSQL moves rows from the pending list into the index key by key, and a search meanwhile finds a row
 * under the keys that are already there.
 */
test('A search excludes what is negated while the index takes in new rows', async () => {
  await side.owner.query('alter index conversations.messages_by_text set (gin_pending_list_limit = 65536)');
  const last = rows.at(-1)!;
  await insert(
    Array.from({ length: 3_000 }, (_, index) => ({
      ...last,
      id: uuid(0x50_0000 + index),
      position: last.position + 1 + index,
      text: `alpha middle${index} zulu`,
    })),
  );
  await side.owner.query('update public.checkpoints set position = $1', [last.position + 3_000]);
  let isDone = false;
  const moved = side.owner
    .query(`select gin_clean_pending_list('conversations.messages_by_text')`)
    .finally(() => (isDone = true));
  const found: string[] = [];
  while (!isDone) found.push(...ids(await search('owner', 'alpha -zulu', 1)));
  await moved;
  expect(found).toEqual([]);
});

test('A search that takes too long is refused as retryable', async () => {
  const { rows: defined } = await side.owner.query<{ sql: string }>(
    `select pg_get_functiondef('public.search_stretches'::regproc) as sql`,
  );
  await side.owner.query(
    `create or replace function public.search_stretches(log_position bigint) returns bigint[] language plpgsql
     immutable as $$ begin perform pg_sleep(60); return '{}'; end $$`,
  );
  // The index contains the words of a message; only the row shows whether they follow each other.
  const phrase = '"frequent elsewhere"';
  const error: unknown = await search('guest', phrase, 1).catch((reason: unknown) => reason);
  await side.owner.query(defined[0]!.sql);
  expect(error).toMatchObject({ code: '57014' });
  expect(toProblem(error)).toMatchObject({ status: 503, code: 'UNAVAILABLE', retryable: true });
  expect(ids(await search('guest', phrase, 1))).toHaveLength(1);
});
