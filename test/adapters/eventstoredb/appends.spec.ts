import { EventStoreUnavailable, NO_STREAM, type Recorded } from '../../../src/events/event-store.ts';
import type { EventStoreDbEventStore } from '../../../src/adapters/eventstoredb/event-store.ts';
import {
  append,
  groupClosed,
  messageSent,
  newStream,
  range,
  say,
  textOf,
} from '../../support/language/appends.ts';
import { type EventStoreDb, startEventStoreDb } from '../../support/eventstoredb/eventstoredb.ts';
import { type EventStoreDbStage, stageEventStoreDb } from '../../support/eventstoredb/stage.ts';
import { until } from '../../../tools/until.ts';

describe('an append to EventStoreDB', () => {
  let server: EventStoreDb;
  let stage: EventStoreDbStage;
  let store: EventStoreDbEventStore;
  beforeEach(async () => {
    // The adapter deduplicates, and the server does at exact revisions; the server's cache of recent ids is
    // never relied on.
    server = await startEventStoreDb({ recentIds: 0 });
    stage = await stageEventStoreDb(server.url);
    store = await stage.open();
  });
  afterEach(async () => {
    await stage.close();
    await server.stop();
  });

  const ours = () => server.events().filter(({ stream }) => !stream.startsWith('$'));
  const idsStored = () => ours().map(({ id }) => id);
  const isIndexed = async () => (await stage.indexed()) >= (await store.head());

  const faults: [string, (server: EventStoreDb) => void][] = [
    ['is stored and never answered', ({ faults }) => faults.loseReply()],
    ['is neither stored nor answered', ({ faults }) => faults.neverAnswer()],
    ['is answered too late', ({ faults }) => faults.answerLate(3_500)],
    ['reaches a server that is not the leader', ({ faults }) => faults.notLeader()],
    ['reaches an unavailable server', ({ faults }) => faults.unavailable(2)],
    ['is answered twice, first with an error', ({ faults }) => faults.answerTwice()],
  ];
  for (const isSilent of [false, true]) {
    test.each(faults)(
      `that %s${isSilent ? ', while subscriptions are silent,' : ''} is stored once and answered`,
      async (_, fault) => {
        await store.append(say(newStream(), 'before'));
        if (isSilent) server.faults.silence();
        fault(server);
        const wanted = append(newStream(), [messageSent('a'), messageSent('b')], { expected: NO_STREAM });
        const verdict = await store.append(wanted);
        expect(verdict).toMatchObject({ outcome: 'appended' });
        const [known, ...others] = await Promise.all([
          store.append(wanted),
          ...range(5).map((n) => store.append(say(wanted.stream, `${n}`))),
        ]);
        expect(known).toEqual({ ...verdict, outcome: 'duplicate' });
        expect(others.map(({ outcome }) => outcome)).toEqual(range(5).map(() => 'appended'));
        const events = await store.readStream(wanted.stream);
        expect(events.map(textOf)).toEqual(['a', 'b', '0', '1', '2', '3', '4']);
        expect(ours()).toHaveLength(8);
      },
    );
  }

  test('survives a restart of the server during many appends', async () => {
    const streams = range(8).map(() => newStream());
    const verdicts = Promise.all(range(200).map((n) => store.append(say(streams[n % 8]!, `${n}`))));
    await until(() => ours().length > 20);
    await server.restart();
    expect((await verdicts).map(({ outcome }) => outcome)).toEqual(range(200).map(() => 'appended'));
    expect(new Set(idsStored()).size).toBe(200);
    expect(ours()).toHaveLength(200);
    for (const stream of streams) {
      const texts = (await store.readStream(stream)).map(textOf);
      expect(texts).toEqual(texts.toSorted((a, b) => Number(a) - Number(b)));
    }
  });

  test('is unavailable while the server is, and succeeds when repeated', async () => {
    server.faults.unavailable(Infinity);
    const wanted = say(newStream(), 'a');
    await expect(store.append(wanted)).rejects.toBeInstanceOf(EventStoreUnavailable);
    server.faults.lift();
    await expect(store.append(wanted)).resolves.toMatchObject({ outcome: 'appended' });
    expect(ours()).toHaveLength(1);
  });

  describe('of two processes', () => {
    let other: EventStoreDbEventStore;
    beforeEach(async () => {
      other = await stage.open();
    });

    test.each(['any' as const, NO_STREAM])(
      'with the same ids at the same time, expecting %s, is stored once, and both get the stored events',
      async (expected) => {
        for (const _ of range(10)) {
          const stream = newStream();
          const mine = append(stream, [messageSent('mine'), messageSent('b')], { expected });
          const yours = append(stream, [messageSent('yours'), messageSent('b')], { expected });
          yours.events.forEach((event, index) => (event.id = mine.events[index]!.id));
          const verdicts = await Promise.all([store.append(mine), other.append(yours)]);
          const stored = await store.readStream(stream);
          expect(stored).toHaveLength(2);
          expect(verdicts.map((v) => v.outcome !== 'conflict' && v.events)).toEqual([stored, stored]);
          expect(verdicts.map(({ outcome }) => outcome).toSorted()).toEqual(['appended', 'duplicate']);
        }
      },
    );

    test('with the same id, one of them at a revision that is passed meanwhile, has one that appended', async () => {
      const stream = newStream();
      await store.append(say(stream, 'first'));
      await other.append(say(newStream(), 'opens the call'));
      server.faults.neverAnswer(1);
      const mine = say(stream, 'same', { expected: 0 });
      const appending = store.append(mine);
      // It is on its way when the other process has looked at the log, too.
      await other.find(mine.events[0]!.id);
      await other.append(say(stream, 'between'));
      const yours = await other.append({ ...mine, expected: 'any' });
      const outcomes = [(await appending).outcome, yours.outcome];
      expect(outcomes.filter((outcome) => outcome === 'appended')).toHaveLength(1);
    });

    test('to one stream at any revision are all stored, each in the order of its process', async () => {
      const stream = newStream();
      const all = [store, other].flatMap((process, p) =>
        range(60).map((n) => process.append(say(stream, `${p}:${n}`))),
      );
      expect((await Promise.all(all)).every(({ outcome }) => outcome === 'appended')).toBe(true);
      const texts = (await store.readStream(stream)).map(textOf);
      expect(texts).toHaveLength(120);
      for (const process of ['0:', '1:'])
        expect(texts.filter((text) => text?.startsWith(process))).toEqual(
          range(60).map((n) => `${process}${n}`),
        );
    });

    test('fails when the other has just moved a guarded stream, even without subscriptions', async () => {
      server.faults.silence();
      const guarded = newStream('chatGroup');
      const guards = [{ stream: guarded, revision: NO_STREAM }];
      expect(await store.append(say(newStream(), 'a', { guards }))).toMatchObject({ outcome: 'appended' });
      await other.append(append(guarded, [groupClosed]));
      expect(await store.append(say(newStream(), 'b', { guards }))).toEqual({
        outcome: 'conflict',
        stream: guarded,
        actual: 0,
      });
    });

    test('is recognized by its id in another stream, at once and long after', async () => {
      const first = say(newStream(), 'a');
      const verdict = await store.append(first);
      const again = { ...say(newStream(), 'other', { expected: NO_STREAM }), events: first.events };
      const known = { ...verdict, outcome: 'duplicate' };
      server.faults.silence();
      expect(await other.append(again)).toEqual(known);
      await until(isIndexed);
      // A new store remembers nothing: it begins where the index ends.
      const later = await stage.open();
      expect(await later.append(again)).toEqual(known);
      expect(await later.append({ ...first, expected: 'any' })).toEqual(known);
      expect(await later.find(first.events[0]!.id)).toEqual(
        (known as unknown as { events: Recorded[] }).events[0],
      );
      expect(ours()).toHaveLength(1);
    });
  });

  test('is refused while the index of ids lags too far, and accepted once it has caught up', async () => {
    const forgetful = await stage.open({ mostRemembered: 20 });
    await stage.stopIndexing();
    for (const n of range(21)) await forgetful.append(say(newStream(), `${n}`));
    const wanted = say(newStream(), 'too much');
    await expect(forgetful.append(wanted)).rejects.toThrow(/too far behind/);
    expect(forgetful.failure()).toMatch(/too far behind/);
    await stage.startIndexing();
    await until(() => forgetful.failure() === undefined);
    await expect(forgetful.append(wanted)).resolves.toMatchObject({ outcome: 'appended' });
  });

  test('is refused without failing its neighbours when its id is not a UUID', async () => {
    const bad = say(newStream(), 'b');
    bad.events[0]!.id = 'not a uuid';
    const verdicts = await Promise.allSettled(
      [say(newStream(), 'a'), bad, say(newStream(), 'c')].map((wanted) => store.append(wanted)),
    );
    expect(verdicts.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  test('that is too large for the server is refused permanently, without failing its neighbours', async () => {
    const large = append(
      newStream(),
      range(300).map(() => messageSent('x'.repeat(4_000))),
    );
    const verdicts = await Promise.allSettled([store.append(large), store.append(say(newStream(), 'a'))]);
    expect(verdicts).toMatchObject([
      { status: 'rejected', reason: { message: 'the append is too large' } },
      { status: 'fulfilled' },
    ]);
  });

  test('is refused when 10,000 others are waiting', async () => {
    server.faults.neverAnswer(Infinity);
    const first = store.append(say(newStream(), 'first')).catch((error: unknown) => error);
    await new Promise(setImmediate);
    const stream = newStream();
    const all = Promise.allSettled(range(10_100).map(() => store.append(say(stream, 'x'))));
    await expect(store.append(say(stream, 'one too many'))).rejects.toThrow(/too many appends are waiting/);
    server.faults.lift();
    await first;
    const stored = (await all).filter(({ status }) => status === 'fulfilled');
    expect(stored.length).toBeGreaterThanOrEqual(9_000);
  });

  test('has the metadata that links events in the tools of EventStoreDB', async () => {
    const metadata = { actorId: null, correlationId: 'c-7', causationId: 'e-7' };
    await store.append(say(newStream(), 'a', { metadata }));
    expect(JSON.parse(Buffer.from(ours()[0]!.metadata).toString())).toEqual({
      $correlationId: 'c-7',
      $causationId: 'e-7',
      actorId: null,
      occurredAt: '2026-11-22T10:11:12.345Z',
      v: 1_001,
    });
  });
});
