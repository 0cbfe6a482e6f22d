import type { DomainEvent } from '../../events/domain-event.ts';
import { type Guard, breaks } from '../../events/event-store.ts';
import type { Stream } from '../../events/streams.ts';
import type { Queued } from './send-group.ts';

/**
 * Number of appends in a round. An unanswered append is sent again after its deadline, so the server must be
 * able to keep up with a round.
 */
const MAX_APPENDS = 128;
/** Servers accept 1 MiB in one append by default. */
const MAX_GROUP_SIZE = 512 * 1024;

interface Written {
  size: number;
  isAny: boolean;
  events: DomainEvent[];
}

/**
 * Takes from the front of the queue what can go to the server at the same time: no append that could see
 * another one of the round, or be overtaken by it. Appends at any revision of the same stream go together, in
 * their order.
 */
export function takeRound(queue: Queued[]): Queued[] {
  const written = new Map<Stream, Written>();
  const guards = new Map<Stream, Guard[]>();
  const ids = new Set<string>();

  function goes({ append, size }: Queued): boolean {
    const { stream, expected, events } = append;
    const before = written.get(stream);
    if (before && !(before.isAny && expected === 'any' && before.size + size <= MAX_GROUP_SIZE)) return false;
    const isBroken = (guard: Guard, by: DomainEvent[] = []) => by.some((event) => breaks(guard, event));
    const wanted = events.map(({ event }) => event);
    if (guards.get(stream)?.some((guard) => isBroken(guard, wanted))) return false;
    if (append.guards?.some((guard) => isBroken(guard, written.get(guard.stream)?.events))) return false;
    return !events.some(({ id }) => ids.has(id));
  }

  let count = 0;
  for (const queued of queue.slice(0, MAX_APPENDS)) {
    if (!goes(queued)) break;
    count += 1;
    const { stream, expected, events } = queued.append;
    const group = written.get(stream) ?? { size: 0, isAny: expected === 'any', events: [] };
    group.size += queued.size;
    for (const { id, event } of events) {
      group.events.push(event);
      ids.add(id);
    }
    written.set(stream, group);
    for (const guard of queued.append.guards ?? []) {
      const known = guards.get(guard.stream);
      if (known) known.push(guard);
      else guards.set(guard.stream, [guard]);
    }
  }
  return queue.splice(0, count);
}
