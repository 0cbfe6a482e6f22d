import { randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { AggregateLoader, type Folded } from '../src/commands/aggregate-cache.ts';
import { commandHandler } from '../src/commands/handle-command.ts';
import { type SendMessage, sendMessage } from '../src/commands/message/send-message.ts';
import type { EventStore } from '../src/events/event-store.ts';
import type { Stream } from '../src/events/streams.ts';
import { deriveId, newId } from '../src/kit/uuids.ts';
import { createOneAtATime } from '../src/commands/one-at-a-time.ts';
import { automationRunner } from '../src/automations/run-automations.ts';
import { causes } from '../src/automations/automations.ts';
import { TEXT } from './append-peers.ts';
import { perSecond } from './bench.ts';
import { quiet } from './postgres.ts';
import type { World } from './world.ts';

/** The fold cache size of a process; all groups of the benchmark fit. */
const CACHED_STATES = 10_000;

/** Sends messages through the command handler as the server wires it; `lanes` are in flight. */
export function sender(store: EventStore, { groups }: World) {
  const loader = new AggregateLoader(store, new LRUCache<Stream, Folded>({ max: CACHED_STATES }));
  const handle = commandHandler({
    store,
    loader,
    lookups: { message: async () => undefined },
    automate: (events) => automate(events),
    causes,
    oneAtATime: createOneAtATime(),
    newId,
    deriveId,
    now: () => new Date(),
  });
  const automate = automationRunner({ handle, log: quiet });
  let next = 0;
  const send = () => {
    next += 1;
    const { groupId, members } = groups[next % groups.length] as World['groups'][number];
    const userId = members[next % members.length] as World['groups'][number]['members'][number];
    const input: SendMessage = sendMessage.input.parse({ groupId, clientMsgId: randomUUID(), text: TEXT });
    return handle(sendMessage, input, {
      actor: { userId, role: 'applicant' },
      correlationId: randomUUID(),
    });
  };
  return (lanes: number, milliseconds: number) => perSecond(lanes, milliseconds, send);
}
