import { GroupId, JobId } from '../../src/events/ids.ts';
import { acme, ada, event, uuid } from '../support/language/example-events.ts';
import { type ReadSide, openReadSide } from '../support/stages/read-side.ts';
import { until } from '../../tools/until.ts';

const JOBS = 600;
/** Long postings of many words, a large part of which arrives before the server has any statistics. */
const posted = Array.from({ length: JOBS }, (_, n) =>
  event('JobPosted', {
    jobId: JobId.parse(uuid(0x10_0000 + n)),
    groupId: GroupId.parse(uuid(0x20_0000 + n)),
    companyId: acme.userId,
    title: `Job ${n}`,
    description: Array.from({ length: 300 }, (__, word) => `word${n % 7}x${word}`).join(' '),
    location: n % 2 === 0 ? 'London' : 'Paris',
  }),
);

let side: ReadSide;
beforeAll(async () => {
  side = await openReadSide();
  await side.happened(...posted);
});
afterAll(() => side.close());

/** Returns how often an index was scanned, and how many of its entries were read. */
const use = async (index: string) => {
  const { rows } = await side.owner.query<{ scans: number; entries: number }>(
    `select idx_scan as scans, idx_tup_read as entries from pg_stat_user_indexes
     where schemaname = 'jobs' and indexrelname = $1`,
    [index],
  );
  return rows[0]!;
};
const numbers = ({ data }: { data: { title: string }[] }) =>
  data.map(({ title }) => Number(title.replace('Job ', '')));

describe('a search right after many postings', () => {
  test('uses the word index, and reads no job without the words', async () => {
    const before = await use('jobs_by_text');
    for (const q of ['absent words', 'job 17', 'absent'])
      await side.queries.listJobs({ actor: ada, q, status: 'open', limit: 10 });
    await until(
      async () => (await use('jobs_by_text')).scans > before.scans,
      'the index of words to be counted',
    );
    expect((await use('jobs_newest')).entries).toBe(0);
  });

  test('leaves no pending index entries to the readers', async () => {
    const { rows } = await side.owner.query(
      `select reloptions from pg_class where oid = 'jobs.jobs_by_text'::regclass`,
    );
    expect(rows).toEqual([{ reloptions: ['fastupdate=off'] }]);
  });

  test('finds all of them, newest first, page by page', async () => {
    const found: number[] = [];
    let cursor: string | undefined;
    do {
      const page = await side.queries.listJobs({ actor: ada, q: 'london word3x', limit: 20, cursor });
      found.push(...numbers(page));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    const expected = posted.map((_, n) => n).filter((n) => n % 2 === 0 && n % 7 === 3);
    expect(found).toEqual(expected.reverse());
  });
});
