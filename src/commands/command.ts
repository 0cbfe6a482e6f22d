import type { z } from 'zod';
import type { DomainEvent } from '../events/domain-event.ts';
import type { GroupId, MessageId, UserId } from '../events/ids.ts';
import type { Role } from '../events/account.ts';
import type { Stream } from '../events/streams.ts';
import type { RejectionCode } from './rejection.ts';

/** What is folded from a stream: a state and the pure step from one state to the next. */
export interface Aggregate<S, E extends DomainEvent = DomainEvent> {
  initial: S;
  evolve: (state: S, event: E) => S;
}

/** One instance of an aggregate: its stream, and how to fold it. */
export interface AggregateRef<S> {
  stream: Stream;
  aggregate: Aggregate<S, never>;
  /** The decision relies on events about this user and on events about no user in particular; see `Guard`. */
  about?: UserId;
}

export interface Actor {
  userId: UserId;
  role: Role;
}
/** Automations act as the system: rules about who may do something do not bind it. */
export type ActorOrSystem = Actor | 'system';

/** Everything a decision may use besides its input and what is known: nothing else is ambient. */
export interface Context {
  actor: ActorOrSystem;
  /** A new UUID, version 7. */
  newId: () => string;
  now: Date;
}

/** What is known of one message, from the conversations read model: at least as new as the log was when asked. */
export interface MessageFacts {
  groupId: GroupId;
  senderId: UserId;
  /** The seq of the last event that touched the message. */
  changedSeq: number;
  isDeleted: boolean;
  text: string | null;
  hasFiles: boolean;
  reactions: Readonly<Record<string, readonly UserId[]>>;
}

/** The port for facts that no small stream holds. */
export interface Lookups {
  message(groupId: GroupId, messageId: MessageId): Promise<MessageFacts | undefined>;
}

/**
 * A use case as data. `reads` names the states the decision relies on: the one that is also written is expected at
 * exactly the revision read, every other one becomes a guard. A stream that is only written takes any revision.
 */
export interface Command<I = never, S = never, E extends DomainEvent = DomainEvent> {
  name: string;
  input: z.ZodType<I>;
  /** Every code that `decide` may throw for a person, or the handler for a repetition. The system may also get ROLE_NOT_ALLOWED. */
  refuses: readonly RejectionCode[];
  writes: (input: I, actor: ActorOrSystem) => Stream;
  reads: (input: I, actor: ActorOrSystem) => { [K in keyof S]: AggregateRef<S[K]> };
  /** The message the command is about, looked up before the decision. */
  message?: (input: I) => { groupId: GroupId; messageId: MessageId } | undefined;
  /**
   * What is decided about by one command at a time in this process, where no stream is both read and written. Processes
   * do not wait for each other: each may decide once on what the others have just changed.
   */
  oneAtATime?: (input: I, actor: ActorOrSystem) => string;
  /**
   * The stream it writes is new, as a rule: what is not cached is taken to be empty and is read only when that proves wrong, by
   * a conflict, or when nothing would be written.
   */
  opens?: true;
  /** Pure. Throws `CommandRejected`; no events means that it is done already. */
  decide: (input: I, known: S & { message: MessageFacts | undefined }, context: Context) => E[];
  /** Names a repetition for ever: the same key, the same first outcome. Without it, the request's own key serves. */
  key?: (input: I, known: { message: MessageFacts | undefined }, actor: ActorOrSystem) => string | undefined;
  /** Whether a repetition by key asks for what happened the first time; if not it is CLIENT_MSG_ID_REUSED. */
  repeats?(input: I, first: E): boolean;
}

/** Only gives the command its types. */
export const defineCommand = <I, S, E extends DomainEvent>(command: Command<I, S, E>): Command<I, S, E> =>
  command;

/** The id of the acting user, for rules that bind people only. */
export const actorId = (actor: ActorOrSystem): UserId | null => (actor === 'system' ? null : actor.userId);
