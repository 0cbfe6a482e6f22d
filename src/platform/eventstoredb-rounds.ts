import type { Stream } from '../events/streams.ts';
import type { Queued } from './eventstoredb-groups.ts';

/** What the server has not answered within its deadline is sent again: it must be able to keep up with a round. */
const MAX_APPENDS = 128;
/** Servers take 1 MiB in one append by default. */
const MAX_GROUP_SIZE = 512 * 1024;

/**
 * Takes from the front of the queue what can go to the server at the same time: no append that could see another one
 * of the round, or be overtaken by it. Those at any revision of the same stream go together, in their order.
 */
export function takeRound(queue: Queued[]): Queued[] {
  const written = new Map<Stream, { size: number; isAny: boolean }>();
  const guarded = new Set<Stream>();
  const ids = new Set<string>();

  function goes({ append, events, size }: Queued): boolean {
    const { stream, expected, guards = [] } = append;
    const before = written.get(stream);
    if (before && !(before.isAny && expected === 'any' && before.size + size <= MAX_GROUP_SIZE)) return false;
    if (guarded.has(stream) || guards.some((guard) => written.has(guard.stream))) return false;
    return !events.some(({ id }) => ids.has(id));
  }

  let count = 0;
  for (const queued of queue.slice(0, MAX_APPENDS)) {
    const { append, events, size } = queued;
    if (!goes(queued)) break;
    count += 1;
    const isAny = append.expected === 'any';
    written.set(append.stream, { size: (written.get(append.stream)?.size ?? 0) + size, isAny });
    for (const { stream } of append.guards ?? []) guarded.add(stream);
    for (const { id } of events) ids.add(id);
  }
  return queue.splice(0, count);
}
