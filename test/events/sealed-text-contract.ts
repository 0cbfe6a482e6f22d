import { randomUUID } from 'node:crypto';
import type { EventStore, Recorded } from '../../src/events/event-store.ts';
import { UserId } from '../../src/events/ids.ts';
import type { KeyRing } from '../../src/privacy/key-ring.ts';
import { monthKey, personKey } from '../../src/privacy/text-seal.ts';
import { append, messageSent, newStream, say, textOf } from '../support/language/appends.ts';

export interface SealedLog {
  /** The store of another process each time. */
  open(): Promise<{ store: EventStore; keyRing: KeyRing }>;
  close(): Promise<void>;
}

const CANARY = 'Grüße an den Kanarienvogel 🐤';

/** What holds for personal text in every adapter of the log. */
export function describeSealedText(name: string, openLog: () => Promise<SealedLog>) {
  describe(`personal text in the log ${name}`, () => {
    let log: SealedLog;
    let store: EventStore;
    let base: number;
    const sender = UserId.parse(randomUUID());
    const says = (text: string) => {
      const { type, data } = messageSent(text) as Extract<Recorded, { type: 'MessageSent' }>;
      return { type, data: { ...data, senderId: sender } };
    };

    beforeEach(async () => {
      log = await openLog();
      ({ store } = await log.open());
      base = await store.head();
    });
    afterEach(() => log.close());

    test('is stored sealed, and read as it was written, here and in another process', async () => {
      const verdict = await store.append(append(newStream(), [says(CANARY)]));
      expect(verdict).toMatchObject({ events: [{ v: 1, data: { text: CANARY } }] });
      const [stored] = await store.readStored({ after: base, limit: 10 });
      expect(stored!.data).not.toContain('Kanarienvogel');
      // Code from before text was sealed waits for an upgrade.
      expect(stored!.v).toBe(1_001);
      expect(JSON.parse(stored!.data)).toMatchObject({
        text: { sealed: expect.stringMatching(/^[\w-]{60,}$/) },
      });
      const other = await log.open();
      for (const reader of [store, other.store])
        expect((await reader.readAll({ after: base, limit: 10 })).map(textOf)).toEqual([CANARY]);
    });

    test('is passed on to the subscribers of every process', async () => {
      const other = await log.open();
      const ending = new AbortController();
      const next = [store, other.store].map(async (reader) => {
        for await (const events of reader.subscribe({ after: base, signal: ending.signal })) return events;
        return [];
      });
      await store.append(append(newStream(), [says(CANARY)]));
      for (const events of await Promise.all(next)) expect(events.map(textOf)).toEqual([CANARY]);
      ending.abort();
    });

    test('has one key, though two processes make it at once', async () => {
      const other = await log.open();
      await Promise.all(
        [store, other.store, store, other.store].map((each, n) =>
          each.append(append(newStream(), [says(String(n))])),
        ),
      );
      const third = await log.open();
      const texts = (await third.store.readAll({ after: base, limit: 10 })).map(textOf);
      expect(texts.toSorted()).toEqual(['0', '1', '2', '3']);
    });

    test.each([
      ['the person', () => personKey(sender)],
      [
        'the month',
        (event: Recorded) =>
          monthKey((event.data as { groupId: string }).groupId, event.occurredAt.slice(0, 7)),
      ],
    ])('is gone for good once the key of %s is destroyed', async (_of, keyName) => {
      const verdict = await store.append(append(newStream(), [says(CANARY)]));
      const event = (verdict as { events: Recorded[] }).events[0]!;
      const { keyRing, store: eraser } = await log.open();
      await keyRing.destroy([keyName(event)]);
      const later = await log.open();
      for (const reader of [eraser, later.store])
        expect((await reader.find(event.id))!.data).toMatchObject({ text: null });
      // Nothing new is kept either.
      await eraser.append(append(newStream(), [says('again')]));
      const [, again] = await later.store.readStored({ after: base, limit: 10 });
      expect(JSON.parse(again!.data)).toMatchObject({ text: null });
    });

    test('of others stays', async () => {
      const stream = newStream();
      await store.append(append(stream, [says('gone'), messageSent('stays')]));
      const { keyRing, store: eraser } = await log.open();
      await keyRing.destroy([personKey(sender)]);
      expect((await eraser.readStream(stream)).map(textOf)).toEqual([null, 'stays']);
    });

    test('keeps the order of the calls while keys are fetched', async () => {
      const stream = newStream();
      const verdicts = await Promise.all([
        store.append(append(stream, [says('first')])),
        store.append(
          append(stream, [
            {
              type: 'MessageDeleted',
              data: { groupId: messageSent('').data.groupId, messageId: messageSent('').data.messageId },
            },
          ]),
        ),
        store.append(say(stream, 'third')),
      ]);
      expect(verdicts.map((verdict) => (verdict as { events: Recorded[] }).events[0]!.revision)).toEqual([
        0, 1, 2,
      ]);
    });
  });
}
