import { setImmediate as turn } from 'node:timers/promises';
import type { Position } from '../events/event-store.ts';
import type { EventFilter } from './filter.ts';
import { type OpenText, toLines } from './line.ts';
import type { StoredLog, StoredPage } from './stored-log.ts';

export interface Export {
  log: StoredLog;
  filter: EventFilter;
  after: Position;
  limit: number;
  open?: OpenText | undefined;
  /** Returns false when the reader may not go on, asked before each page. */
  mayGoOn: () => boolean;
}

const PAGE = 1_000;
/** Lines that are made without a pause: more would keep other requests waiting. */
const SLICE = 250;
/**
 * Time without a line after which the export ends, to be resumed: proxies and clients give up on an answer that
 * is silent for longer.
 */
const SILENT_MS = 20_000;

/**
 * Resolves with events as text, line by line, in chunks, after the first page has been read. The last line is
 * `{"next": …}`: the position to go on after; null at the end of the log. One page is read ahead, so a reader that
 * stops reading stops the export.
 */
export async function exportEvents(options: Export): Promise<AsyncGenerator<string, void>> {
  const { log, filter, after, limit } = options;
  const read = (from: Position, left: number) =>
    log.read(filter, { after: from, limit: Math.min(PAGE, left) });
  return lines(options, read, await read(after, limit));
}

async function* lines(
  { limit, open, mayGoOn }: Export,
  read: (from: Position, left: number) => Promise<StoredPage>,
  first: StoredPage,
): AsyncGenerator<string, void> {
  let left = limit;
  let sentAt = performance.now();
  for (let page = first; ;) {
    const { events, to, isEnd } = page;
    left -= events.length;
    const mayEnd = isEnd || left === 0;
    const reading = mayEnd ? undefined : read(to, left);
    reading?.catch(() => {});
    for (let start = 0; start < events.length; start += SLICE) {
      const slice = await toLines(events.slice(start, start + SLICE), open);
      yield slice.map((line) => `${JSON.stringify(line)}\n`).join('');
      sentAt = performance.now();
      await turn();
    }
    if (!reading || performance.now() - sentAt > SILENT_MS || !mayGoOn()) {
      yield `${JSON.stringify({ next: isEnd ? null : String(to) })}\n`;
      return;
    }
    page = await reading;
  }
}
