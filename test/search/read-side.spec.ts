import { type GroupId, JobId } from '../../src/events/ids.ts';
import { searchQuery } from '../../src/search/query.ts';
import { termsOf } from '../../src/search/terms.ts';
import { messageNumber, said } from '../support/language/conversation.ts';
import { acme, ada, event, groupId, uuid } from '../support/language/example-events.ts';
import { type ReadSide, openReadSide } from '../support/stages/read-side.ts';
import { matches } from '../support/language/tsquery.ts';
import { cases } from './cases/all.ts';

const texts = [...new Set(cases.map(({ text }) => text))];
const job = (index: number) => JobId.parse(uuid(0x60_0000 + index));

let side: ReadSide;
beforeAll(async () => {
  side = await openReadSide();
  await side.happened(
    event('ChatGroupCreated', { groupId, jobId: null, name: 'A group', adminId: ada.userId }),
    ...texts.map((text, index) => said(index, ada, text)),
    ...texts.map((text, index) =>
      event('JobPosted', {
        jobId: job(index),
        groupId: uuid(0x70_0000 + index) as GroupId,
        companyId: acme.userId,
        title: '-',
        description: text,
        location: null,
      }),
    ),
  );
});
afterAll(() => side.close());

/** Returns the matching texts in order, from a scan of all of them. */
function expected(asked: string, isTyping: boolean): number[] {
  const query = searchQuery(asked, { isTyping });
  if (query === undefined) return [];
  const found = (tsquery: string) =>
    texts
      .keys()
      .filter((index) => matches(termsOf(texts[index]!) ?? '', tsquery))
      .filter((index) => termsOf(texts[index]!) !== null)
      .toArray()
      .toReversed();
  const asTyped = found(query.asTyped);
  const others = query.inSecondRank ? found(query.inSecondRank.matching) : [];
  return [...asTyped, ...others.filter((index) => !asTyped.includes(index))];
}

type Page = Promise<{ data: { id: string }[]; nextCursor: string | null }>;

/** Reads all pages. */
async function read(ask: (cursor?: string) => Page): Promise<string[]> {
  const ids: string[] = [];
  for (let cursor: string | undefined; ;) {
    const page = await ask(cursor);
    ids.push(...page.data.map(({ id }) => id));
    if (page.nextCursor === null) return ids;
    cursor = page.nextCursor;
  }
}
const limit = 12;

describe('every query of the table, page by page', () => {
  /** Parts with few enough queries for the timeout of a test on a busy machine. */
  const all = [...new Set(cases.map(({ asked }) => asked))];
  const parts = Array.from({ length: 4 }, (_, part) => ({
    part: part + 1,
    queries: all.filter((__, index) => index % 4 === part),
  }));

  test.each(parts)(
    'finds messages with the words as typed, then those with other accents: part $part',
    async ({ queries }) => {
      for (const q of queries) {
        const found = await read((cursor) =>
          side.queries.searchMessages({ userId: ada.userId, q, limit, cursor }),
        );
        expect([q, ...found]).toEqual([q, ...expected(q, false).map(messageNumber)]);
      }
    },
  );

  test.each(parts)(
    'finds jobs in the same order, also by a prefix of the last word: part $part',
    async ({ queries }) => {
      for (const q of queries) {
        const found = await read((cursor) => side.queries.listJobs({ actor: ada, q, limit, cursor }));
        expect([q, ...found]).toEqual([q, ...expected(q, true).map(job)]);
      }
    },
  );
});
