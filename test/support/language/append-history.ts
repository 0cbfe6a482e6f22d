import { isDeepStrictEqual } from 'node:util';
import { type Append, type Recorded, type Verdict, breaks } from '../../../src/events/event-store.ts';
import type { Stream } from '../../../src/events/streams.ts';

/** One call that was repeated until it had a verdict. Times are of one clock that every call and answer advances. */
export interface Answered {
  append: Append;
  calledAt: number;
  answeredAt: number;
  verdict: Verdict;
}

/**
 * Returns what contradicts the promises of the log: everything acknowledged is stored exactly once, at dense
 * revisions, in the order of calls that did not overlap, under exact revisions and unbroken guards; a refusal stores
 * nothing, and a repetition shows what is stored.
 */
export function contradictions(answered: readonly Answered[], log: readonly Recorded[]): string[] {
  const found: string[] = [];
  const byId = new Map<string, Recorded>();
  const streams = new Map<Stream, Recorded[]>();
  for (const event of log) {
    if (byId.has(event.id)) found.push(`${event.id} is stored twice`);
    byId.set(event.id, event);
    const before = streams.get(event.stream) ?? [];
    if (event.revision !== before.length)
      found.push(`${event.stream} has revision ${event.revision} after ${before.length - 1}`);
    streams.set(event.stream, [...before, event]);
  }
  const isStored = (event: Recorded) => isDeepStrictEqual(byId.get(event.id), event);
  const appended = answered.filter(({ verdict }) => verdict.outcome === 'appended');
  const storedIds = new Set(
    answered.flatMap(({ verdict }) =>
      verdict.outcome === 'conflict' ? [] : verdict.events.map(({ id }) => id),
    ),
  );
  for (const { id } of log) if (!storedIds.has(id)) found.push(`${id} is stored, and no call said so`);

  for (const { append, verdict } of answered) {
    const ids = append.events.map(({ id }) => id);
    if (verdict.outcome === 'conflict') {
      const needed = [
        ...(append.expected === 'any' ? [] : [{ stream: append.stream, revision: append.expected }]),
        ...(append.guards ?? []),
      ].find(({ stream }) => stream === verdict.stream);
      if (!needed || needed.revision === verdict.actual)
        found.push(`a call conflicts with ${verdict.stream} at the revision that it needs`);
      if (verdict.actual >= (streams.get(verdict.stream)?.length ?? 0))
        found.push(`${verdict.stream} never reached revision ${verdict.actual}`);
      continue;
    }
    if (verdict.events.length === 0 || !verdict.events.every(isStored))
      found.push(`the answer for ${ids.join()} is not what is stored`);
    if (verdict.outcome === 'duplicate') continue;
    if (
      !isDeepStrictEqual(
        verdict.events.map(({ id }) => id),
        ids,
      )
    )
      found.push(`the answer for ${ids.join()} has other events`);
    const first = verdict.events[0]!.revision;
    if (
      verdict.events.some(
        ({ stream, revision }, index) => stream !== append.stream || revision !== first + index,
      )
    )
      found.push(`the events ${ids.join()} are not next to each other`);
    if (append.expected !== 'any' && first !== append.expected + 1)
      found.push(`${ids[0]} was expected after ${append.expected} and is at ${first}`);
  }

  const firstOf = ({ verdict }: Answered) => (verdict as { events: Recorded[] }).events[0]!;
  const lastOf = ({ verdict }: Answered) => (verdict as { events: Recorded[] }).events.at(-1)!;
  for (const later of appended) {
    for (const earlier of appended.filter(({ answeredAt }) => answeredAt < later.calledAt)) {
      if (lastOf(earlier).position > firstOf(later).position)
        found.push(
          `${lastOf(earlier).id} was answered before ${firstOf(later).id} was sent, and is behind it`,
        );
      for (const guard of later.append.guards ?? [])
        for (const event of (earlier.verdict as { events: Recorded[] }).events)
          if (event.stream === guard.stream && event.revision > guard.revision && breaks(guard, event))
            found.push(`${firstOf(later).id} is stored although ${event.id} had broken its guard`);
    }
  }
  return found;
}
