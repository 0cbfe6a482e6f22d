import { pino } from 'pino';
import { postgresCheckpoint } from '../../../../src/adapters/postgres/tables/checkpoints.ts';
import { createPool } from '../../../../src/adapters/postgres/connection.ts';
import { type TestDatabase, createTestDatabase } from '../../../support/stages/database.ts';

describe('a checkpoint in PostgreSQL', () => {
  let database: TestDatabase;
  let pool: ReturnType<typeof createPool>;

  beforeAll(async () => {
    database = await createTestDatabase();
    const log = pino({ level: 'silent' });
    pool = createPool({ url: database.url, max: 2, applicationName: 'checkpoints', log });
  });
  afterAll(async () => {
    await pool.end();
    await database.drop();
  });

  test('begins at 0', async () => expect(await postgresCheckpoint(pool, 'new').load()).toBe(0));

  test('survives a restart, for its own reader', async () => {
    await postgresCheckpoint(pool, 'one').save(2 ** 40);
    expect(await postgresCheckpoint(pool, 'one').load()).toBe(2 ** 40);
    expect(await postgresCheckpoint(pool, 'other').load()).toBe(0);
  });

  test('never moves back', async () => {
    const checkpoint = postgresCheckpoint(pool, 'forward');
    await checkpoint.save(7);
    await checkpoint.save(5);
    expect(await checkpoint.load()).toBe(7);
  });
});
