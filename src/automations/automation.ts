import type { ActorOrSystem, Command } from '../commands/command.ts';
import type { RejectionCode } from '../commands/rejection.ts';
import type { DomainEvent, EventOf, EventType } from '../events/domain-event.ts';
import type { Recorded } from '../events/event-store.ts';

/** The command that follows from an event, and the actor in whose name it runs. */
export interface Consequence<I = never, S = never, E extends DomainEvent = DomainEvent> {
  command: Command<I, S, E>;
  input: I;
  actor: ActorOrSystem;
}

/** The command that one type of event causes, as data. `follows` may be called many times for the same event. */
export interface Automation {
  name: string;
  on: EventType;
  /** The rejections which mean that nothing is left to do. Any other rejection breaks a promise. */
  moot?: readonly RejectionCode[];
  /** Pure. Returns undefined when nothing follows. */
  follows: (event: Recorded) => Consequence | undefined;
}

/** Checks that event, command and input fit together, and hides their types so that automations can share a list. */
export const defineAutomation = <T extends EventType, I, S, E extends DomainEvent>(automation: {
  name: string;
  on: T;
  moot?: readonly RejectionCode[];
  follows: (event: EventOf<T>) => Consequence<I, S, E> | undefined;
}): Automation => automation as unknown as Automation;
