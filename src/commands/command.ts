import type { z } from 'zod';
import type { DomainEvent } from '../events/domain-event.ts';
import type { GroupId, MessageId, UserId } from '../events/ids.ts';
import type { Role } from '../events/account.ts';
import type { Stream } from '../events/streams.ts';
import type { RejectionCode } from './rejection.ts';

/** The fold of a stream: a first state, and a pure function from one state to the next. */
export interface Aggregate<S, E extends DomainEvent = DomainEvent> {
  initial: S;
  evolve: (state: S, event: E) => S;
}

/** One instance of an aggregate: its stream and its fold. */
export interface AggregateRef<S> {
  stream: Stream;
  aggregate: Aggregate<S, never>;
  /** The decision relies only on events about this user and on events about no particular user; see `Guard`. */
  about?: UserId;
}

export interface Actor {
  userId: UserId;
  role: Role;
}
/** Automations act as the system, which is exempt from the rules about permissions. */
export type ActorOrSystem = Actor | 'system';

/** Everything that a decision may use besides its input and the known states. Nothing else is ambient. */
export interface Context {
  actor: ActorOrSystem;
  /** Returns a new UUID, version 7. */
  newId: () => string;
  now: Date;
}

/** The state of one message in the conversations read model, at least as new as the log was when it was asked for. */
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

/** The port for facts that no small stream contains. */
export interface Lookups {
  /** Resolves with a message that the actor can see, if it is a member; undefined when there is none. */
  message(groupId: GroupId, messageId: MessageId, actor: ActorOrSystem): Promise<MessageFacts | undefined>;
}

/** The instances whose states a decision knows by these names. */
export type RefsOf<S> = { [K in keyof S]: AggregateRef<Exclude<S[K], undefined>> };

/**
 * A use case as data. `reads` names the states that the decision relies on. The one that is also written is
 * expected at exactly the revision read, every other one becomes a guard. A stream that is only written takes
 * any revision.
 */
export interface Command<I = never, S = never, E extends DomainEvent = DomainEvent> {
  name: string;
  input: z.ZodType<I>;
  /**
   * All codes that `decide` may throw for a user, or the handler for a repetition. The system may also get
   * ROLE_NOT_ALLOWED, and every command STREAM_DAMAGED.
   */
  refuses: readonly RejectionCode[];
  writes: (input: I, actor: ActorOrSystem) => Stream;
  reads: (input: I, actor: ActorOrSystem) => RefsOf<S>;
  /** Names the states that the first ones lead to. The decision relies on them as well. */
  readsThen?: (known: S, input: I, actor: ActorOrSystem) => Partial<RefsOf<Required<S>>>;
  /** Returns the message that the command is about, which is looked up before the decision. */
  message?: (input: I) => { groupId: GroupId; messageId: MessageId } | undefined;
  /**
   * Returns a key: this process runs one command at a time for each key. For commands that do not both read
   * and write a stream. Processes do not wait for each other, so each may decide once without seeing the
   * latest change of another.
   */
  oneAtATime?: (input: I, actor: ActorOrSystem) => string;
  /**
   * The stream to write is usually new. A state that is not cached is assumed to be empty. The stream is read
   * only after a conflict, or when nothing would be written.
   */
  opens?: true;
  /** Pure. Throws `CommandRejected`. Returns no events if nothing is left to do. */
  decide: (input: I, known: S & { message: MessageFacts | undefined }, context: Context) => E[];
  /**
   * Returns a permanent key: commands with the same key have the outcome of the first. Without it, the key of
   * the request is used.
   */
  key?: (input: I, known: { message: MessageFacts | undefined }, actor: ActorOrSystem) => string | undefined;
  /**
   * Returns true if a repetition by key asks for the same thing as the first command. Otherwise the
   * repetition is refused with CLIENT_MSG_ID_REUSED.
   */
  repeats?(input: I, first: E): boolean;
}

/** Returns the command unchanged, with its types inferred. */
export const defineCommand = <I, S, E extends DomainEvent>(command: Command<I, S, E>): Command<I, S, E> =>
  command;

/** Returns the id of the acting user, for rules that apply to users only; null for the system. */
export const actorId = (actor: ActorOrSystem): UserId | null => (actor === 'system' ? null : actor.userId);
