import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { UserId } from '../../src/events/ids.ts';
import { createOutbox } from '../../src/adapters/postgres/notifications/outbox.ts';
import { prepareDatabase } from '../../src/adapters/postgres/prepare-database.ts';
import { createTestDatabase, type TestDatabase } from '../support/stages/database.ts';

const ROOT = join(import.meta.dirname, '../..');
const STARTS_MS = 30_000;

let database: TestDatabase;
let pool: pg.Pool;
let folder: string;
beforeAll(async () => {
  database = await createTestDatabase();
  await prepareDatabase(database.ownerUrl);
  pool = new pg.Pool({ connectionString: database.url, max: 1 });
  folder = await mkdtemp(join(tmpdir(), 'chat-previews-'));
});
afterAll(async () => {
  await pool.end();
  await database.drop();
  await rm(folder, { recursive: true });
});

/** Runs the program like an operator. */
function notifications(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const { PATH = '', HOME = '' } = process.env;
  const env = { PATH, HOME, DATABASE_URL: database.ownerUrl, DATA_DIR: join(folder, 'data') };
  return new Promise((done) =>
    execFile(process.execPath, ['scripts/notifications.ts', ...args], { cwd: ROOT, env }, (error, out, err) =>
      done({ code: error ? Number(error.code) : 0, out, err }),
    ),
  );
}

/** A parked batch with one notification. */
async function parkedBatch(reason: string): Promise<string> {
  const batchId = randomUUID();
  const recipientId = UserId.parse(randomUUID());
  const waiting = { recipientId, channel: 'email', topic: 'messages', gatheredAt: null } as const;
  await pool.query(
    `insert into notifications
       (event_id, recipient_id, channel, kind, group_id, subject_id, seq, position, written_at)
     values ($1, $2, $3, 'message', $4, $5, 1, 1, now())`,
    [randomUUID(), waiting.recipientId, waiting.channel, randomUUID(), randomUUID()],
  );
  await pool.query(
    `insert into notification_pace values ($1, $2, 'messages', null, now() - interval '1 s', true)`,
    [waiting.recipientId, waiting.channel],
  );
  const outbox = createOutbox({ pool });
  await outbox.gather(waiting, batchId);
  await outbox.park(batchId, reason);
  return batchId;
}

test(
  'Lists parked batches with their reasons, and replays them by id or all at once',
  async () => {
    const [first, second, third] = [
      await parkedBatch('the address does not exist'),
      await parkedBatch('its handling failed\u001b[31m 6 times'),
      await parkedBatch('given up'),
    ];
    const listed = await notifications('list-parked');
    expect(listed.code).toBe(0);
    expect(listed.out.split('\n').filter(Boolean)).toEqual([
      expect.stringMatching(`^${first} .* email .* 1  the address does not exist$`),
      expect.stringMatching(`^${second} .* its handling failed \\[31m 6 times$`),
      expect.stringMatching(`^${third} .* given up$`),
    ]);

    expect(await notifications('replay', first)).toMatchObject({ code: 0, out: 'put back 1 of 1 batches\n' });
    expect(await notifications('replay', first, second)).toMatchObject({
      code: 1,
      out: 'put back 1 of 2 batches\n',
      err: 'the others are not parked\n',
    });
    expect(await notifications('replay', '--all')).toMatchObject({ code: 0, out: 'put back 1 batches\n' });
    expect(await notifications('list-parked')).toMatchObject({ code: 0, out: '' });
  },
  STARTS_MS,
);

test(
  'Writes the previews to a folder, which it creates',
  async () => {
    const target = join(folder, 'new/previews');
    expect(await notifications('preview', target)).toMatchObject({ code: 0, out: `${target}\n` });
    const files = await readdir(target);
    expect(files.filter((file) => file.endsWith('.html')).length).toBeGreaterThan(0);
    for (const file of files) expect(await readFile(join(target, file), 'utf8')).not.toBe('');
  },
  STARTS_MS,
);

test.each([
  [[]],
  [['replay']],
  [['replay', '--all', randomUUID()]],
  [['list-parked', 'more']],
  [['unknown']],
])('Prints the usage for %j', async (args) => {
  const { code, out, err } = await notifications(...args);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toContain('Usage:');
});

test('Reports an invalid batch id', async () => {
  const { code, err } = await notifications('replay', 'everything');
  expect({ code, err }).toEqual({ code: 2, err: 'everything: is not the id of a batch\n' });
});
