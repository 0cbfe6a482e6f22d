import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import {
  type Append,
  type EventStore,
  EventStoreUnavailable,
  NO_STREAM,
  type Position,
  type Recorded,
  type Revision,
} from '../../src/events/event-store.ts';
import type { DomainEvent } from '../../src/events/domain-event.ts';
import { UserId } from '../../src/events/ids.ts';
import type { Stream } from '../../src/events/streams.ts';
import { type Answered, contradictions } from '../support/language/append-history.ts';
import {
  append,
  groupClosed,
  memberJoined,
  memberLeft,
  messageSent,
  newStream,
} from '../support/language/appends.ts';

export interface Nodes {
  /** The log in two processes. */
  stores: [EventStore, EventStore];
  /** Faults that the log must survive; each concerns what is sent next, or now. */
  faults: readonly (() => void)[];
  /** False if appends with one id to different streams must not overlap. */
  isIdUnique: boolean;
  close(): Promise<void>;
}

/** Fifty times ten histories, which run at the same time. */
const RUNS = 50;
const AT_ONCE = 10;
const PAGE = 1_000;
const GIVE_UP_MS = 20_000;

const users = [UserId.parse(randomUUID()), UserId.parse(randomUUID())] as const;
const events: readonly (() => DomainEvent)[] = [
  () => messageSent('a'),
  () => memberJoined(users[0]),
  () => memberLeft(users[0]),
  () => memberJoined(users[1]),
  () => groupClosed,
];

/** The revision at which a caller expects a stream: the last one it knows, the one before, or any. */
const believed = fc.constantFrom('known', 'older', 'any' as const);
const step = fc.record({
  node: fc.nat({ max: 1 }),
  stream: fc.nat({ max: 2 }),
  expected: fc.oneof(
    { weight: 3, arbitrary: fc.constant('any' as const) },
    { weight: 2, arbitrary: believed },
  ),
  events: fc.array(fc.nat({ max: events.length - 1 }), { minLength: 1, maxLength: 3 }),
  guard: fc.option(
    fc.record({ stream: fc.nat({ max: 2 }), isOlder: fc.boolean(), about: fc.option(fc.nat({ max: 1 })) }),
  ),
  /** The number of calls ago of the append whose ids it repeats. */
  repeats: fc.option(fc.integer({ min: 1, max: 4 }), { freq: 4 }),
  /** True if it is sent after all earlier calls have been answered. */
  isAfterAll: fc.boolean(),
  fault: fc.option(fc.nat(), { freq: 6 }),
});
const history = fc.array(step, { minLength: 4, maxLength: 14 });
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

interface Outcome {
  streams: Stream[];
  answered: Answered[];
}

/** Runs the steps against new streams. */
async function run({ stores, faults, isIdUnique }: Nodes, steps: readonly Step[]): Promise<Outcome> {
  const streams = [newStream('chatGroup'), newStream(), newStream()];
  const answered: Answered[] = [];
  const sent: Append[] = [];
  const known = new Map<Stream, Revision>();
  let clock = 0;
  let underWay: Promise<void>[] = [];
  const believe = (stream: Stream, isOlder: boolean) =>
    Math.max((known.get(stream) ?? NO_STREAM) - (isOlder ? 1 : 0), NO_STREAM);

  function toAppend({ stream: index, expected, guard, events: kinds }: Step): Append {
    const stream = streams[index]!;
    const guarded = guard && guard.stream !== index ? streams[guard.stream] : undefined;
    return append(
      stream,
      kinds.map((kind) => events[kind]!()),
      {
        expected: expected === 'any' ? 'any' : believe(stream, expected === 'older'),
        guards: guarded
          ? [
              {
                stream: guarded,
                revision: believe(guarded, guard!.isOlder),
                ...(guard!.about !== null && { about: users[guard!.about]! }),
              },
            ]
          : [],
      },
    );
  }

  async function call(node: number, wanted: Append): Promise<void> {
    const calledAt = (clock += 1);
    const giveUpAt = performance.now() + GIVE_UP_MS;
    for (let store = stores[node]!; ; store = stores.find((other) => other !== store)!) {
      try {
        const verdict = await store.append(wanted);
        if (verdict.outcome !== 'conflict')
          for (const { stream, revision } of verdict.events)
            known.set(stream, Math.max(known.get(stream) ?? NO_STREAM, revision));
        answered.push({ append: wanted, calledAt, answeredAt: (clock += 1), verdict });
        return;
      } catch (error) {
        if (!(error instanceof EventStoreUnavailable) || performance.now() > giveUpAt) throw error;
      }
    }
  }

  for (const next of steps) {
    const first = next.repeats === null ? undefined : sent.at(-next.repeats);
    const isElsewhere = ({ events: [event], stream }: Append) =>
      event!.id === first?.events[0]!.id && stream !== streams[next.stream];
    if (next.isAfterAll || (!isIdUnique && sent.slice(sent.length - underWay.length).some(isElsewhere))) {
      await Promise.all(underWay);
      underWay = [];
    }
    if (next.fault !== null && faults.length > 0) faults[next.fault % faults.length]!();
    const wanted = { ...toAppend(next), ...(first && { events: first.events }) };
    sent.push(wanted);
    underWay.push(call(next.node, wanted));
  }
  await Promise.all(underWay);
  return { streams, answered };
}

async function readAfter(store: EventStore, base: Position): Promise<Recorded[]> {
  const log: Recorded[] = [];
  for (let after = base; ; after = log.at(-1)!.position) {
    const page = await store.readAll({ after, limit: PAGE });
    log.push(...page);
    if (page.length < PAGE) return log;
  }
}

/** Random histories of two processes on one log, part of the contract of every adapter. */
export function describeAppendHistories(name: string, open: () => Promise<Nodes>) {
  describe(`random histories of two processes on the log ${name}`, () => {
    let nodes: Nodes;
    beforeAll(async () => {
      nodes = await open();
    });
    afterAll(() => nodes.close());

    test('keep every promise of the log under lost, late and repeated answers', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(history, { minLength: AT_ONCE, maxLength: AT_ONCE }), async (histories) => {
          const base = await nodes.stores[0].head();
          const outcomes = await Promise.all(histories.map((steps) => run(nodes, steps)));
          const [log, seenByOther] = await Promise.all(nodes.stores.map((store) => readAfter(store, base)));
          expect(seenByOther).toEqual(log);
          for (const { streams, answered } of outcomes)
            expect(
              contradictions(
                answered,
                log!.filter(({ stream }) => streams.includes(stream)),
              ),
            ).toEqual([]);
        }),
        { numRuns: RUNS, endOnFailure: true },
      );
    }, 300_000);
  });
}
