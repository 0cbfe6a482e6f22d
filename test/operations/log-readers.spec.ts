import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../support/stages/database.ts';

const PROCESSES = 2;
const WRITERS = 8;
const APPENDS = 40;
const TOTAL = PROCESSES * WRITERS * APPENDS;

/**
 * A reader that polls for events after the last position it saw, while 16 writers in 2 processes
 * append, some of them slowly. If a position can become visible after a higher one, the reader misses it.
 */
describe('a reader that polls for "after N" while 16 writers append', () => {
  let database: TestDatabase;
  let reader: pg.Client;
  beforeEach(async () => {
    database = await createTestDatabase();
    reader = new pg.Client({ connectionString: database.ownerUrl });
    await reader.connect();
  });
  afterEach(async () => {
    await reader.end();
    await database.drop();
  });

  async function readWhileWriting(kind: 'log' | 'sequence', table: string): Promise<number[]> {
    const script = fileURLToPath(new URL('../support/language/event-writers.ts', import.meta.url));
    const args = [script, database.ownerUrl, kind, `${WRITERS}`, `${APPENDS}`];
    let running = PROCESSES;
    const exits = Array.from({ length: PROCESSES }, async () => {
      const [code] = await once(spawn(process.execPath, args, { stdio: 'inherit' }), 'exit');
      running -= 1;
      return code as number;
    });
    const seen: number[] = [];
    for (let isLast = false; !isLast;) {
      // One more read after the writers have ended, when everything is visible.
      isLast = running === 0;
      const { rows } = await reader.query<{ position: string }>(
        `select position from ${table} where position > $1 order by position`,
        [seen.at(-1) ?? 0],
      );
      seen.push(...rows.map(({ position }) => Number(position)));
    }
    expect(await Promise.all(exits)).toEqual([0, 0]);
    return seen;
  }

  test('misses nothing of the log', async () => {
    const seen = await readWhileWriting('log', 'events');
    expect(seen).toEqual(Array.from({ length: TOTAL }, (_, index) => index + 1));
  });

  test('misses events of a table numbered by a sequence, which this test would detect', async () => {
    await reader.query('create table naive (position bigserial primary key)');
    const seen = await readWhileWriting('sequence', 'naive');
    const { rows } = await reader.query<{ count: number }>('select count(*)::int from naive');
    expect(rows).toEqual([{ count: TOTAL }]);
    expect(seen.length).toBeLessThan(TOTAL);
  });
});
