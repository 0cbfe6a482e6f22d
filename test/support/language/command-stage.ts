import { AggregateLoader, type Folded } from '../../../src/commands/aggregate-cache.ts';
import type { MessageFacts } from '../../../src/commands/command.ts';
import {
  type CommandDeps,
  type HandleCommand,
  commandHandler,
} from '../../../src/commands/handle-command.ts';
import type { DomainEvent } from '../../../src/events/domain-event.ts';
import type { EventStore } from '../../../src/events/event-store.ts';
import type { Stream } from '../../../src/events/streams.ts';
import { deriveId, newId } from '../../../src/kit/uuids.ts';
import { createOneAtATime } from '../../../src/commands/one-at-a-time.ts';
import { causes } from '../../../src/automations/automations.ts';
import { withDeclaredRefusals } from './declared-refusals.ts';
import { happened, wholeLog } from './history.ts';
import { createInMemoryEventStore } from './in-memory-event-store.ts';

export interface StageOptions {
  history?: readonly DomainEvent[];
  message?: MessageFacts | undefined;
  /** The log of another stage: two handlers over one log act as two processes. */
  store?: EventStore;
  automate?: (handle: HandleCommand) => CommandDeps['automate'];
}

/** The real command handler over a log in memory, with only what it needs. */
export async function commands({ history = [], message, automate, ...options }: StageOptions = {}) {
  const store = options.store ?? createInMemoryEventStore();
  await happened(store, ...history);
  const loader = new AggregateLoader(store, new Map<Stream, Folded>());
  const automations = automate?.((command, input, request) => handle(command, input, request));
  const handler = commandHandler({
    store,
    loader,
    lookups: { message: async () => message },
    causes,
    automate: automations ?? (async () => 0),
    oneAtATime: createOneAtATime(),
    newId,
    deriveId,
    now: () => new Date('2026-01-02T03:04:05.678Z'),
  });
  const handle = withDeclaredRefusals(handler);
  return { handle, store, loader, log: () => wholeLog(store) };
}
