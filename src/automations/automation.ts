import type { ActorOrSystem, Command } from '../commands/command.ts';
import type { RejectionCode } from '../commands/rejection.ts';
import type { DomainEvent, EventOf, EventType } from '../events/domain-event.ts';
import type { Recorded } from '../events/event-store.ts';

/** The command that follows from an event, and in whose name it is given. */
export interface Consequence<I = never, S = never, E extends DomainEvent = DomainEvent> {
  command: Command<I, S, E>;
  input: I;
  actor: ActorOrSystem;
}

/** What follows from one kind of event, as data. It may be asked many times for the same event. */
export interface Automation {
  name: string;
  on: EventType;
  /** The rejections which mean that nothing is left to do. Any other one breaks a promise. */
  moot?: readonly RejectionCode[];
  /** Pure. Nothing follows when it answers undefined. */
  follows: (event: Recorded) => Consequence | undefined;
}

/** Checks that event, command and input fit together; a list of automations no longer needs to know how. */
export const defineAutomation = <T extends EventType, I, S, E extends DomainEvent>(automation: {
  name: string;
  on: T;
  moot?: readonly RejectionCode[];
  follows: (event: EventOf<T>) => Consequence<I, S, E> | undefined;
}): Automation => automation as unknown as Automation;
