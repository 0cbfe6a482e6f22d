import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepareDatabase } from '../../src/adapters/postgres/prepare-database.ts';
import type { DomainEvent } from '../../src/events/domain-event.ts';
import type { EventStore, Recorded } from '../../src/events/event-store.ts';
import { conversationStream } from '../../src/events/streams.ts';
import { newId } from '../../src/kit/uuids.ts';
import {
  accessGranted,
  ada,
  event,
  grantId,
  group,
  groupId,
  helloSent,
  messageId,
  registered,
} from '../support/language/example-events.ts';
import { happened } from '../support/language/history.ts';
import { startEventStoreDb } from '../support/eventstoredb/eventstoredb.ts';
import { type TestDatabase, createTestDatabase } from '../support/stages/database.ts';
import { withEventStoreDbLog, withPostgresLog } from '../support/stages/open-logs.ts';

const ROOT = join(import.meta.dirname, '../..');
const STARTS_MS = 60_000;

describe('npm run audit', () => {
  let database: TestDatabase;
  let folder: string;
  let log: Recorded[];
  const edited = event('MessageEdited', { groupId, messageId, text: 'Hi' });
  const open = event('AccessGranted', { ...accessGranted.data, expiresAt: '2999-01-01T00:00:00.000Z' });
  const history: DomainEvent[] = [registered(ada), ...group, helloSent, edited, open];

  /** The edit is Ada's own: its text belongs to the one who edits. */
  async function happen(store: EventStore): Promise<Recorded[]> {
    const recorded: Recorded[] = [];
    for (const each of history)
      if (each !== edited) recorded.push(...(await happened(store, each)));
      else {
        const verdict = await store.append({
          stream: conversationStream(groupId),
          events: [{ id: newId(), event: each }],
          expected: 'any',
          occurredAt: '2026-01-02T03:04:06.000Z',
          metadata: { actorId: ada.userId, correlationId: newId(), causationId: null },
        });
        if (verdict.outcome === 'appended') recorded.push(...verdict.events);
      }
    return recorded;
  }

  beforeAll(async () => {
    database = await createTestDatabase();
    await prepareDatabase(database.ownerUrl);
    folder = await mkdtemp(join(tmpdir(), 'audit-'));
    log = await withPostgresLog(database.url, happen);
  });
  afterAll(async () => {
    await database.drop();
    await rm(folder, { recursive: true });
  });

  /** Runs the program like an auditor at a terminal. */
  const audit = (...args: string[]) => auditOf({}, ...args);
  function auditOf(
    settings: Record<string, string>,
    ...args: string[]
  ): Promise<{ code: number; out: string; err: string }> {
    const { PATH = '', HOME = '' } = process.env;
    const env = { PATH, HOME, DATABASE_URL: database.ownerUrl, DATA_DIR: join(folder, 'data'), ...settings };
    return new Promise((done) =>
      execFile(process.execPath, ['scripts/audit.ts', ...args], { cwd: ROOT, env }, (error, out, err) =>
        done({ code: error ? Number(error.code) : 0, out, err }),
      ),
    );
  }
  const ndjson = (text: string) =>
    text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  test(
    'lists the events that are asked for, as text and as JSON, without personal text',
    async () => {
      const all = await audit('events', '--json');
      expect(ndjson(all.out).map(({ type }) => type)).toStrictEqual(history.map(({ type }) => type));
      expect(all).toMatchObject({ code: 0, err: '' });
      expect(all.out).not.toMatch(/Hello|Hi"|"Ada"/);
      const sent = await audit('events', '--type', 'MessageSent', '--after', '2');
      expect(sent.out).toMatch(/^ +5 {2}\S+ {2}MessageSent .*"text":"\[redacted\]"/);
      expect(sent.out.trimEnd().split('\n')).toHaveLength(1);
    },
    STARTS_MS,
  );

  test(
    'shows with a grant what is in its scope',
    async () => {
      const { out } = await audit('events', '--json', '--grant', grantId);
      expect(out).toContain('"text":"Hello"');
      expect(out).not.toContain('"Ada"');
      const unknown = await audit('events', '--grant', messageId);
      expect(unknown).toMatchObject({ code: 1, out: '', err: 'GRANT_NOT_OPEN\n' });
    },
    STARTS_MS,
  );

  test(
    'shows streams, states, conversations and traces',
    async () => {
      const stream = await audit('stream', `conversation-${groupId}`, '--at-revision', '0', '--json');
      expect(ndjson(stream.out)).toMatchObject([{ revision: 0, type: 'MessageSent' }]);
      const state = await audit('state', `account-${ada.userId}`, '--json');
      expect(ndjson(state.out)).toMatchObject([{ revision: 0, state: { displayName: '[redacted]' } }]);
      const then = await audit('conversation', groupId, '--at-position', '5', '--grant', grantId);
      expect(then.out).toContain('Hello');
      expect(then.out).toContain(`${ada.userId}  member  since`);
      const now = await audit('conversation', groupId, '--grant', grantId, '--json');
      expect(ndjson(now.out)).toMatchObject([{ messages: [{ text: 'Hi' }], headSeq: 2 }]);
      const traced = await audit('trace', log[1]!.id, '--json');
      expect(ndjson(traced.out)).toMatchObject([{ event: { type: 'ChatGroupCreated' }, truncated: false }]);
    },
    STARTS_MS,
  );

  test(
    'plays a conversation back',
    async () => {
      const { out } = await audit('replay', groupId, '--speed', '1000000', '--grant', grantId);
      expect(out).toMatch(/MessageSent .*"Hello".*\n.*MessageEdited .*"Hi".*\n$/);
    },
    STARTS_MS,
  );

  test(
    'exports into a file, and goes on where an interrupted export ended',
    async () => {
      const file = join(folder, 'log.ndjson');
      expect(await audit('export', '--to', file, '--limit', '3')).toMatchObject({
        code: 0,
        out: `wrote 3 events to ${file}\n`,
      });
      const whole = (await audit('events', '--json')).out;
      const [first, second] = whole.split('\n');
      // The third line was not written completely.
      await truncate(file, first!.length + second!.length + 12);
      expect(await audit('export', '--to', file)).toMatchObject({
        code: 0,
        out: `wrote ${history.length - 2} events to ${file}, after position 2\n`,
      });
      expect(await readFile(file, 'utf8')).toBe(whole);
      expect(await audit('export', '--to', file)).toMatchObject({
        out: expect.stringMatching(/^wrote 0 events/),
      });
      const other = join(folder, 'letter.txt');
      await writeFile(other, 'Dear Ada\n');
      expect(await audit('export', '--to', other)).toMatchObject({
        code: 1,
        err: `${other} is not an export\n`,
      });
      expect(await readFile(other, 'utf8')).toBe('Dear Ada\n');
    },
    STARTS_MS,
  );

  test(
    'says in one line what is wrong',
    async () => {
      expect(await audit('events', '--category', 'nothing')).toMatchObject({
        code: 2,
        err: expect.stringMatching(/^category: .+\n$/),
      });
      expect(await audit('state', `job-${messageId}`)).toMatchObject({
        code: 1,
        err: `job-${messageId} has no events at that moment\n`,
      });
      expect(await audit('trace', messageId)).toMatchObject({
        code: 1,
        err: `the log has no event ${messageId}\n`,
      });
      expect((await audit('nothing')).err).toContain('Usage:');
    },
    STARTS_MS,
  );

  test(
    'reads a log in EventStoreDB as well',
    async () => {
      const server = await startEventStoreDb();
      try {
        await withEventStoreDbLog(server.url, database.url, happen);
        const of = (...args: string[]) => auditOf({ EVENTSTOREDB_URL: server.url }, ...args);
        const all = ndjson((await of('events', '--json')).out);
        expect(all.map(({ type }) => type)).toStrictEqual(history.map(({ type }) => type));
        expect(all[0]).toMatchObject({ recordedAt: expect.any(String), data: { displayName: '[redacted]' } });
        const sent = await of('events', '--json', '--type', 'MessageSent', '--grant', grantId);
        expect(ndjson(sent.out)).toMatchObject([{ data: { text: 'Hello' } }]);
        const then = await of(
          'conversation',
          groupId,
          '--json',
          '--at-position',
          String(all[4]!['position']),
        );
        expect(ndjson(then.out)).toMatchObject([
          { messages: [{ text: '[redacted]', editedAt: null }], headSeq: 1 },
        ]);
        const state = await of('state', `chatGroup-${groupId}`, '--json');
        expect(ndjson(state.out)).toMatchObject([{ revision: 2, state: { status: 'open' } }]);
        const traced = await of('trace', String(all[1]!['id']), '--json');
        expect(traced).toMatchObject({ code: 0, err: '' });
        expect(ndjson(traced.out)).toMatchObject([{ event: { type: 'ChatGroupCreated' } }]);
      } finally {
        await server.stop();
      }
    },
    STARTS_MS,
  );
});
