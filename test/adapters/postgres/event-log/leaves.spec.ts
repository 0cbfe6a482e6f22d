import fc from 'fast-check';
import pg from 'pg';
import { pino } from 'pino';
import { leavesOf } from '../../../../src/audit/leaf.ts';
import { createPool } from '../../../../src/adapters/postgres/connection.ts';
import { createLeafReader } from '../../../../src/adapters/postgres/event-log/leaves.ts';
import { createLogReader } from '../../../../src/adapters/postgres/event-log/reader.ts';
import { unsealed } from '../../../../src/events/personal-text.ts';
import { type TestDatabase, createTestDatabase } from '../../../support/stages/database.ts';

let database: TestDatabase;
let owner: pg.Client;
let pool: pg.Pool;
beforeAll(async () => {
  database = await createTestDatabase();
  owner = new pg.Client({ connectionString: database.ownerUrl });
  await owner.connect();
  const log = pino({ level: 'silent' });
  pool = createPool({ url: database.url, max: 1, applicationName: 'leaves', log });
});
afterAll(async () => {
  await pool.end();
  await owner.end();
  await database.drop();
});

const text = fc.string({ unit: 'grapheme', maxLength: 40 }).map((each) => each.replaceAll('\0', ''));
/** A time as PostgreSQL stores it, to the microsecond. */
const time = fc
  .tuple(
    fc.date({ min: new Date('1970-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }),
    fc.nat(999),
  )
  .map(([date, micros]) => date.toISOString().replace('Z', `${String(micros).padStart(3, '0')}Z`));
/** JSON as anybody may have written it: with blanks, escapes and any order of keys. */
const json = fc
  .tuple(
    fc.dictionary(text, fc.oneof(text, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean())),
    fc.boolean(),
  )
  .map(([data, isWide]) => JSON.stringify(data, null, isWide ? 2 : 0));
const stored = fc.record({
  gap: fc.nat(3),
  stream: text,
  type: text,
  v: fc.integer({ min: 1, max: 32_767 }),
  id: fc.uuid(),
  data: json,
  metadata: json,
  occurredAt: time,
  recordedAt: fc.option(time),
});
type Stored = typeof stored extends fc.Arbitrary<infer T> ? T : never;

test('PostgreSQL makes the same leaves of any event as the code that verifies them', async () => {
  const reader = createLogReader(pool, unsealed);
  const compare = async (events: Stored[]) => {
    await owner.query('begin; alter table events disable trigger all; delete from events');
    let position = 0;
    for (const [
      revision,
      { gap, stream, type, v, id, data, metadata, occurredAt, recordedAt },
    ] of events.entries()) {
      position += 1 + gap;
      await owner.query(
        `insert into events (position, stream, revision, id, type, v, data, metadata, occurred_at, recorded_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
        [position, stream, revision, id, type, v, data, metadata, occurredAt, recordedAt],
      );
    }
    await owner.query('alter table events enable trigger all; commit');
    for (const page of [
      { after: 0, limit: 100 },
      { after: 3, limit: 2 },
      { after: position, limit: 5 },
    ]) {
      const leaves = await createLeafReader(pool)(page);
      expect(leaves).toEqual(await leavesOf(reader)(page));
    }
  };
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(stored, { maxLength: 20, selector: ({ id }) => id }), compare),
    {
      numRuns: 100,
    },
  );
}, 120_000);
