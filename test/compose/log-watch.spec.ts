import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import { createLogWitnessFile } from '../../src/adapters/disk/log-witness.ts';
import { createPool } from '../../src/adapters/postgres/connection.ts';
import { beginEpoch, epochsOf } from '../../src/adapters/postgres/event-log/epochs.ts';
import { createPostgresEventStore } from '../../src/adapters/postgres/event-log/event-store.ts';
import { openEpoch } from '../../src/compose/log-watch.ts';
import { readConfig } from '../../src/config.ts';
import type { LogState } from '../../src/events/sightings.ts';
import { closers } from '../../src/kit/closers.ts';
import { until } from '../../tools/until.ts';
import { range, say } from '../support/language/appends.ts';
import { type TestDatabase, createTestDatabase } from '../support/stages/database.ts';

const log = pino({ level: 'silent' });

describe('the watch over the log', () => {
  let database: TestDatabase;
  let owner: pg.Client;
  let pool: pg.Pool;
  let store: ReturnType<typeof createPostgresEventStore>;
  let folder: string;
  let file: string;
  let first: string;
  let present: LogState['epochs'][0];
  let ended: Error | undefined;
  let open: ReturnType<typeof closers>;

  beforeEach(async () => {
    database = await createTestDatabase();
    owner = new pg.Client({ connectionString: database.ownerUrl });
    await owner.connect();
    pool = createPool({ url: database.url, max: 3, applicationName: 'test', log });
    store = createPostgresEventStore({ pool, url: database.url, log });
    await store.start();
    for (const n of range(5)) await store.append(say('conversation-1', `Message ${n}`));
    first = (await store.readAll({ after: 0, limit: 1 }))[0]!.id;
    [present] = await epochsOf(owner);
    folder = await mkdtemp(join(tmpdir(), 'log-watch-'));
    file = join(folder, 'log-seen.json');
    ended = undefined;
    open = closers(log);
  });
  afterEach(async () => {
    await open.closeAll();
    await store.close();
    await pool.end();
    await owner.end();
    await database.drop();
    await rm(folder, { recursive: true });
  });

  const start = async ({
    kind = 'postgresql',
    end = () => store.end(),
  }: Partial<Parameters<typeof openEpoch>[3]> = {}) => {
    await open.closeAll();
    open = closers(log);
    const config = readConfig({ DATABASE_URL: database.ownerUrl, DATA_DIR: folder, ROLES: 'projector' });
    const deps = { background: pool, store, kind, end, cluster: undefined };
    return openEpoch(config, log, open, deps, (reason) => (ended = reason));
  };
  const seen = (position: number, epoch = present, of = first) =>
    createLogWitnessFile(file).note(of, { ...epoch, position });

  test('notes what this process has seen, and what it has told clients at the very end', async () => {
    const positions = await start();
    expect(positions.epoch).toBe(present.epoch);
    const noted = () => createLogWitnessFile(file).recall(first);
    await until(async () => (await noted())?.position === 5, 'the first note');
    positions.encode(7);
    await open.closeAll();
    expect(await noted()).toEqual({ ...present, position: 7 });
    expect((await readFile(file, 'utf8')).split('\n')[0]).toBe(first);
  });

  test('refuses a log that ends before what was seen', async () => {
    await seen(5);
    await expect(start()).resolves.toBeDefined();
    await seen(6);
    await expect(start()).rejects.toThrow(
      `The log ends at position 5, but this process, or an earlier one, has seen it at 6 in epoch ${present.epoch}: it was restored to an earlier state. Stop every process, run "npm run log -- restored", and start them again`,
    );
  });

  test('refuses a database that does not know a newer epoch', async () => {
    await seen(1, { epoch: 'thenewer', beganAt: present.beganAt + 1 });
    await expect(start()).rejects.toThrow('npm run log -- restored');
  });

  test('does not mind what is out of date, or about another log', async () => {
    await seen(9, present, randomUUID());
    await expect(start()).resolves.toBeDefined();
    await seen(9);
    await beginEpoch(owner, 5);
    await expect(start()).resolves.toMatchObject({ epoch: expect.not.stringMatching(present.epoch) });
    await seen(9, { epoch: 'theolder', beganAt: present.beganAt - 1 });
    await expect(start()).resolves.toBeDefined();
  });

  test('ends a process that has told a client of more than the log has', async () => {
    const positions = await start();
    positions.encode(6);
    await until(() => ended !== undefined, 'the end');
    expect(ended!.message).toMatch(/^The log ends at position 5, but this process has seen it at 6 /);
  });

  test('ends a process under which a new epoch begins', async () => {
    await start();
    const { epoch } = await beginEpoch(owner, 5);
    await until(() => ended !== undefined, 'the end');
    expect(ended!.message).toMatch(new RegExp(`is in epoch ${epoch} now: start this process again$`));
  });

  test('waits for a leader of EventStoreDB that shows less for a moment', async () => {
    await seen(5);
    let looks = 0;
    const end = async () => ((looks += 1) % 3 === 0 ? 5 : 4);
    await start({ kind: 'eventstoredb', end });
    await until(() => looks > 9, 'some more looks');
    expect(ended).toBeUndefined();
  });
});
