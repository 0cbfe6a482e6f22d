import { setImmediate as turn } from 'node:timers/promises';
import type pg from 'pg';
import { createLogReader } from '../../../../src/adapters/postgres/event-log/reader.ts';
import { unsealed } from '../../../../src/events/personal-text.ts';
import { acme, uuid } from '../../../support/language/example-events.ts';

/** A row of the log as the driver returns it, with much to validate. */
const large = (position: number) => {
  const muted = Array.from({ length: 1_000 }, (_, index) => uuid(index));
  const preferences = { email: true, push: true, muted, quietHours: null, digestMinutes: 5 };
  const data = { userId: acme.userId, preferences };
  const stream = `account-${acme.userId}`;
  const type = 'NotificationPreferencesSet';
  return [position, stream, position - 1, uuid(position), type, 1, data, {}, '2026-01-02T03:04:05.678Z'];
};

describe('reading a page of large events', () => {
  test('yields to the event loop', async () => {
    const rows = Array.from({ length: 500 }, (_, index) => large(index + 1));
    const pool = { query: async () => ({ rows }) } as unknown as pg.Pool;
    let turns = 0;
    let isRead = false;
    const counting = (async () => {
      for (; !isRead; turns += 1) await turn();
    })();
    const events = await createLogReader(pool, unsealed).readAll({ after: 0, limit: 500 });
    isRead = true;
    await counting;
    expect(events.map(({ position }) => position)).toEqual(rows.map(([position]) => position));
    expect(turns).toBeGreaterThan(3);
  });
});
