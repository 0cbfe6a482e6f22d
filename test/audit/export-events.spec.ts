import { exportEvents } from '../../src/audit/export-events.ts';
import { range, say } from '../support/language/appends.ts';
import { createInMemoryEventStore } from '../support/language/in-memory-event-store.ts';
import { scanStoredLog } from '../support/language/scanned-log.ts';

const EVENTS = 2_500;

describe('an export of the log', () => {
  async function lastLine(mayGoOn: () => boolean): Promise<{ lines: number; last: unknown }> {
    const store = createInMemoryEventStore();
    for (const n of range(EVENTS)) await store.append(say('conversation-1', `Message ${n}`));
    const chunks = await exportEvents({
      ...{ log: scanStoredLog(store), filter: {}, after: 0, limit: Infinity, mayGoOn },
    });
    const lines = (await Array.fromAsync(chunks)).join('').trimEnd().split('\n');
    return { lines: lines.length, last: JSON.parse(lines.at(-1)!) };
  }

  test('ends with null at the end of the log', async () => {
    expect(await lastLine(() => true)).toStrictEqual({ lines: EVENTS + 1, last: { next: null } });
  });

  test('ends after a page with where to go on, once its reader may not go on', async () => {
    let asked = 0;
    const mayGoOn = () => ++asked < 2;
    expect(await lastLine(mayGoOn)).toStrictEqual({ lines: 2_001, last: { next: '2000' } });
  });
});
