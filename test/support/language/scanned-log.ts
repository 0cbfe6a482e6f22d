import { matches } from '../../../src/audit/filter.ts';
import { type StoredLog, lookForEffects } from '../../../src/audit/stored-log.ts';
import type { EventStore, StoredEvent } from '../../../src/events/event-store.ts';
import type { Stream } from '../../../src/events/streams.ts';

const PAGE = 1_000;

/** The audits' view of a log that can only be read from one end to the other: the model of those with an index or filter. */
export function scanStoredLog({ readStored, head }: Pick<EventStore, 'readStored' | 'head'>): StoredLog {
  const read: StoredLog['read'] = async (filter, { after, limit }) => {
    const found: StoredEvent[] = [];
    for (let to = after; ;) {
      const page = await readStored({ after: to, limit: PAGE });
      for (const event of page) {
        to = event.position;
        if (matches(filter, event) && found.push(event) === limit)
          return { events: found, to, isEnd: to >= (await head()) };
      }
      if (page.length < PAGE) return { events: found, to, isEnd: true };
    }
  };
  return {
    read,
    async ofStream(stream: Stream, { from, limit }) {
      const { events } = await read({ stream }, { after: 0, limit: Infinity });
      return events.filter(({ revision }) => revision >= from).slice(0, limit);
    },
    causedBy: lookForEffects({ readStored }),
  };
}
