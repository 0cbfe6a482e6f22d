import {
  type EventStore,
  EventStoreUnavailable,
  type Position,
  type Recorded,
  type Revision,
} from '../../events/event-store.ts';
import { UNKNOWN, UnreadableEvent } from '../../events/stored-events.ts';
import type { Stream } from '../../events/streams.ts';
import { unavailable } from '../event-log/batch.ts';
import type { OnUnknown } from '../postgres/event-log/reader.ts';
import type { EventStoreDbClient, StoredRecord } from './client.ts';
import { isOurs, toRecorded } from './record.ts';

const PAGE = { least: 64, most: 2_000 };
const BACKWARDS_PAGE = { first: 16, most: 4_096 };

export interface LogInEventStoreDb extends Pick<EventStore, 'readStream' | 'readAll' | 'head'> {
  /** Resolves with the place of a stream's last event; undefined without events. */
  last(stream: Stream): Promise<{ revision: Revision; position: Position } | undefined>;
  /** Returns the reason why the last read failed; undefined when it succeeded. */
  failure(): string | undefined;
}

/**
 * Creates the reading side of the log on EventStoreDB. Rejects with `UnreadableEvent` for an event that
 * cannot be read, and with `EventStoreUnavailable` for everything else.
 */
export function createEventStoreDbReader(
  client: EventStoreDbClient,
  seen: () => Position,
  onUnknown?: OnUnknown,
): LogInEventStoreDb {
  const decode = (record: StoredRecord) => toRecorded(record, onUnknown);
  let trouble: string | undefined;
  /** The end of the server's log at the last look, and the last event of ours there. */
  let known = { end: 0, ours: 0 };
  let looking: Promise<Position> | undefined;
  let lookingNext: Promise<Position> | undefined;

  async function reading<T>(read: () => Promise<T>): Promise<T> {
    try {
      const result = await read();
      trouble = undefined;
      return result;
    } catch (error) {
      if (error instanceof UnreadableEvent || error instanceof EventStoreUnavailable) throw error;
      trouble = error instanceof Error ? error.message : String(error);
      throw unavailable('EventStoreDB cannot be read', error);
    }
  }

  /**
   * Finds the last event of ours. The server's own events may be many, so it looks back only to where it has
   * looked, or this process has seen, before.
   */
  async function lookBack(): Promise<Position> {
    let before: Position | 'end' = 'end';
    let end: Position | undefined;
    for (let size = BACKWARDS_PAGE.first; ; size = Math.min(size * 4, BACKWARDS_PAGE.most)) {
      const page = await client.readBackwards(before, size);
      end ??= page[0]?.position ?? 0;
      const [looked, tail] = [known, seen()];
      const stop = page.find((event) => isOurs(event) || event.position <= Math.max(looked.end, tail));
      if (!stop && page.length === size) {
        before = page.at(-1)!.position;
        continue;
      }
      const ours = stop && isOurs(stop) ? stop.position : Math.max(looked.ours, tail);
      if (end > known.end) known = { end, ours };
      return ours;
    }
  }

  function head(): Promise<Position> {
    if (!looking) return (looking = reading(lookBack).finally(() => (looking = undefined)));
    // A look that began before the call may miss what happened since. All callers meanwhile share the next
    // one.
    return (lookingNext ??= looking
      .catch(() => undefined)
      .then(() => {
        lookingNext = undefined;
        return head();
      }));
  }

  return {
    head,
    failure: () => trouble,
    readStream: (stream, { from = 0, limit = 1_000 } = {}) =>
      reading(async () => (await client.readStream(stream, from, limit)).map(decode)),
    last: (stream) => reading(async () => (await client.readStream(stream, 'end', 1))[0]),
    readAll: ({ after, limit, types }) =>
      reading(async () => {
        const found: Recorded[] = [];
        for (let from = after; ;) {
          const size = Math.min(Math.max(limit - found.length + 1, PAGE.least), PAGE.most);
          const page = await client.readForwards(from, size);
          for (const event of page) {
            if (found.length === limit) return found;
            if (event.position > from && isOurs(event) && wants(event.type, types)) found.push(decode(event));
          }
          if (found.length === limit || page.length < size) return found;
          from = page.at(-1)!.position;
        }
      }),
  };
}

/** A reader that asks for events of newer code, the index of ids, wants every event. */
const wants = (type: string, types: readonly string[] | undefined): boolean =>
  !types || types.includes(type) || types.includes(UNKNOWN);
