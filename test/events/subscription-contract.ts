import type { EventStore, Recorded } from '../../src/events/event-store.ts';
import { append, groupClosed, messageSent, newStream, range, say } from '../support/language/appends.ts';
import { until } from '../../tools/until.ts';

/** The contract of subscriptions; `current` returns the store of the running test. */
export function describeSubscriptions(current: () => EventStore): void {
  describe('a subscription', () => {
    let store: EventStore;
    /** The head at the start: the log may not be empty. */
    let base: number;
    beforeEach(async () => {
      store = current();
      base = await store.head();
    });

    const since = () => store.readAll({ after: base, limit: 10_000 });

    /** Follows the log until `count` events have arrived. */
    async function follow(
      count: number,
      options: { after?: number; limit?: number; lingerMs?: number } = {},
    ): Promise<Recorded[][]> {
      const done = new AbortController();
      const batches: Recorded[][] = [];
      for await (const batch of store.subscribe({ after: base, ...options, signal: done.signal })) {
        batches.push(batch);
        if (batches.flat().length >= count) done.abort();
      }
      return batches;
    }

    const fill = (count: number) =>
      Promise.all(range(count).map((n) => store.append(say(newStream(), `${n}`))));
    const positionsOf = (events: Recorded[]) => events.map(({ position }) => position);

    test('delivers the whole log from the start, in batches of at most its limit', async () => {
      await fill(25);
      const batches = await follow(25, { limit: 10 });
      expect(batches.flat()).toEqual(await since());
      expect(Math.max(...batches.map((batch) => batch.length))).toBeLessThanOrEqual(10);
    });

    test('starts after a given position', async () => {
      await fill(10);
      const all = await since();
      const batches = await follow(3, { after: all[6]!.position });
      expect(batches.flat()).toEqual(all.slice(7));
    });

    test('delivers events appended meanwhile, once each and as a read returns them', async () => {
      await fill(50);
      const following = follow(650, { limit: 40 });
      for (const _ of range(6)) await fill(100);
      expect((await following).flat()).toEqual(await since());
    });

    test('misses nothing when its batches linger', async () => {
      const following = follow(60, { lingerMs: 20 });
      for (const n of range(60)) await store.append(say(newStream(), `${n}`));
      expect((await following).flat()).toEqual(await since());
    });

    test('to some types delivers no others, and reports its progress past them', async () => {
      const done = new AbortController();
      const wanted = (event: Recorded) => event.type === 'GroupClosed';
      const seen: Recorded[] = [];
      const steps: number[] = [];
      const following = (async () => {
        const onPosition = (position: number) => void steps.push(position);
        const options = { after: base, limit: 10, types: ['GroupClosed', 'JobClosed'], onPosition };
        for await (const batch of store.subscribe({ ...options, signal: done.signal })) {
          // The reported position never exceeds an undelivered event.
          expect(batch[0]!.position).toBeGreaterThan(steps.at(-1) ?? base);
          seen.push(...batch);
        }
      })();
      for (const round of range(8)) {
        await fill(20);
        await Promise.all(range(round * 4).map(() => store.append(append(newStream(), [groupClosed]))));
        await fill(20);
        const head = await store.head();
        await until(() => steps.at(-1) === head, 'the end of the log to be reported');
        expect(seen).toEqual((await since()).filter(wanted));
      }
      expect(seen).toHaveLength(112);
      expect(steps).toEqual([...new Set(steps)].toSorted((a, b) => a - b));
      done.abort();
      await following;
    });

    test('to some types delivers events from before its start', async () => {
      await fill(30);
      await Promise.all(range(25).map(() => store.append(append(newStream(), [groupClosed]))));
      await fill(30);
      const done = new AbortController();
      const seen: Recorded[] = [];
      let position = 0;
      const onPosition = (reached: number) => {
        position = reached;
        done.abort();
      };
      const options = { after: base, limit: 10, types: ['GroupClosed'], onPosition };
      for await (const batch of store.subscribe({ ...options, signal: done.signal })) seen.push(...batch);
      expect(seen).toEqual((await since()).filter(({ type }) => type === 'GroupClosed'));
      expect(position).toBe(await store.head());
    });

    test('waits for the next event at the end of the log', async () => {
      const following = follow(1);
      const verdict = await store.append(say(newStream(), 'a'));
      expect(verdict).toEqual({ outcome: 'appended', events: (await following).flat() });
    });

    test('loses nothing with a slow consumer', async () => {
      const done = new AbortController();
      const seen: number[] = [];
      const following = (async () => {
        for await (const batch of store.subscribe({ after: base, limit: 500, signal: done.signal })) {
          seen.push(...positionsOf(batch));
          if (seen.length >= 6_000) done.abort();
          else await new Promise((resolve) => setTimeout(resolve, 20));
        }
      })();
      const ten = range(10).map((n) => messageSent(`${n}`));
      for (const _ of range(12))
        await Promise.all(range(50).map(() => store.append(append(newStream(), ten))));
      await following;
      expect(seen).toEqual(positionsOf(await since()));
      expect(seen).toHaveLength(6_000);
    });

    test('ends when aborted: while it waits, before it starts, and inside the loop', async () => {
      const waiting = new AbortController();
      const ended = (async () => {
        for await (const _ of store.subscribe({ after: base, signal: waiting.signal }))
          throw new Error('no event');
      })();
      setImmediate(() => waiting.abort());
      await ended;
      await fill(3);
      for await (const _ of store.subscribe({ after: base, signal: waiting.signal }))
        throw new Error('aborted');
      const inside = new AbortController();
      let batches = 0;
      for await (const _ of store.subscribe({ after: base, limit: 1, signal: inside.signal })) {
        batches += 1;
        inside.abort();
      }
      expect(batches).toBe(1);
    });

    test('does not delay another one', async () => {
      const idle = store
        .subscribe({ after: base, signal: new AbortController().signal })
        [Symbol.asyncIterator]();
      const [first] = await Promise.all([idle.next(), fill(1)]);
      expect((first.value as Recorded[]).length).toBe(1);
      const following = follow(20);
      await fill(19);
      expect((await following).flat()).toHaveLength(20);
      await idle.return!();
    });
  });
}
