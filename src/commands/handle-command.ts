import type { DomainEvent, EventType } from '../events/domain-event.ts';
import {
  type Append,
  type EventStore,
  EventStoreUnavailable,
  type Position,
  type Recorded,
} from '../events/event-store.ts';
import { requireKnown } from '../events/stored-events.ts';
import type { AggregateLoader, Folded } from './aggregate-cache.ts';
import {
  type ActorOrSystem,
  type AggregateRef,
  type Command,
  type Context,
  type Lookups,
  type MessageFacts,
  actorId,
} from './command.ts';
import { CommandRejected, ensure } from './rejection.ts';

/** Who asks, and on which occasion. */
export interface Request {
  actor: ActorOrSystem;
  correlationId: string;
  /** The event that this command is a reaction to. */
  causationId?: string;
  /** The client's idempotency key: the same key of the same actor is the same command. */
  key?: string;
}

export interface Outcome<E extends DomainEvent = DomainEvent> {
  /** What happened; what happened the first time when this is a repetition; empty when it was done already. */
  events: Recorded<E>[];
  duplicate: boolean;
  /** A query that has caught up to here shows the outcome, and what followed from it. */
  position: Position;
}

export interface CommandDeps {
  store: EventStore;
  loader: AggregateLoader;
  lookups: Lookups;
  /** Runs the automations of events at once, again if need be. Resolves with the position that covers them, 0 if none. */
  automate: (events: Recorded[]) => Promise<Position>;
  /** The types of events that something follows from. */
  causes: readonly EventType[];
  /** Lets one command at a time decide about a stream, say, so that one process never competes with itself. */
  oneAtATime: <T>(what: string, work: () => Promise<T>) => Promise<T>;
  newId: () => string;
  /** The same UUID for the same parts, for ever. */
  deriveId: (...parts: (string | number)[]) => string;
  now: () => Date;
}

export type HandleCommand = <I, S, E extends DomainEvent>(
  command: Command<I, S, E>,
  input: I,
  request: Request,
) => Promise<Outcome<E>>;

/** How many decisions a command may lose to other processes. Each loss means that another one succeeded. */
export const MAX_ATTEMPTS = 20;

type Refs = [name: string, ref: AggregateRef<unknown>][];
type States = Record<string, Folded>;

/**
 * The only way to write: load, decide, append, automate. `input` has been parsed with the command's schema.
 * Throws `CommandRejected` for a broken rule, `AutomationRefused` when a rule breaks what should follow, and
 * `EventStoreUnavailable` when the log cannot take it now.
 */
export function commandHandler({ store, loader, ...deps }: CommandDeps): HandleCommand {
  const loadStates = async (
    refs: Refs,
    load: (ref: AggregateRef<unknown>) => Folded | Promise<Folded>,
  ): Promise<States> => {
    const folded = await Promise.all(refs.map(async ([name, ref]) => [name, await load(ref)] as const));
    return Object.fromEntries(folded);
  };
  const refresh = (ref: AggregateRef<unknown>) => loader.refresh(ref);

  return async function handle<I, S, E extends DomainEvent>(
    command: Command<I, S, E>,
    input: I,
    request: Request,
  ) {
    const { actor } = request;
    const stream = command.writes(input, actor);
    const refs = Object.entries(command.reads(input, actor)) as Refs;
    const written = refs.find(([, ref]) => ref.stream === stream);

    async function run(): Promise<Outcome<E>> {
      const about = command.message?.(input);
      const message = about && (await deps.lookups.message(about.groupId, about.messageId));
      const idOf = eventIds(command, input, request, message);
      let states = await loadStates(refs, (ref) =>
        command.opens && ref === written?.[1] ? loader.guess(ref) : loader.load(ref),
      );
      let isFresh = false;
      for (let attempts = 0; attempts < MAX_ATTEMPTS; attempts += 1) {
        const decision = decide(
          command,
          input,
          { states, message },
          { actor, newId: deps.newId, now: deps.now() },
        );
        if (Array.isArray(decision) && decision.length > 0) {
          const verdict = await store.append(toAppend(decision, states, idOf));
          if (verdict.outcome !== 'conflict') {
            requireKnown(verdict.events);
            const events = verdict.events as Recorded<E>[];
            if (verdict.outcome === 'duplicate') requireSame(events[0]);
            if (written && verdict.outcome === 'appended') loader.absorb(written[1], events);
            const followed = await deps.automate(events);
            const position = Math.max(events.at(-1)!.position, followed);
            return { events, duplicate: verdict.outcome === 'duplicate', position };
          }
        } else if (isFresh) {
          return settled(decision, states, idOf(0));
        }
        states = await loadStates(refs, refresh);
        isFresh = true;
      }
      throw new EventStoreUnavailable(`${command.name} lost ${MAX_ATTEMPTS} races for ${stream}`);
    }

    /**
     * Nothing to append, on the newest state: a repetition by the same actor hears of its first success, everybody
     * else of the rule, or that it is done already. What followed is made sure of: it may have been cut short.
     */
    async function settled(
      decision: E[] | CommandRejected,
      states: States,
      firstId: string,
    ): Promise<Outcome<E>> {
      const found = await store.find(firstId);
      if (found) requireKnown([found]);
      const first = found?.metadata.actorId === actorId(actor) ? (found as Recorded<E>) : undefined;
      if (!first && decision instanceof CommandRejected) throw decision;
      requireSame(first);
      const known = Object.values(states).map((folded) => folded.position);
      const causes = first ? [first] : written ? await latestCauses(states[written[0]]!) : [];
      const position = Math.max(first?.position ?? Math.max(0, ...known), await deps.automate(causes));
      return { events: first ? [first] : [], duplicate: first !== undefined, position };
    }

    /** The last event of each type that something follows from: what came before them is the follower's to make sure of. */
    async function latestCauses({ latest }: Folded): Promise<Recorded[]> {
      const ids = deps.causes.flatMap((type) => latest.get(type) ?? []);
      const found = await Promise.all(ids.map((id) => store.find(id)));
      return found.filter((event) => event !== undefined).toSorted((a, b) => a.position - b.position);
    }

    const requireSame = (first: E | undefined) =>
      ensure(!first || (command.repeats?.(input, first) ?? true), 'CLIENT_MSG_ID_REUSED');

    function toAppend(events: E[], states: States, idOf: (index: number) => string): Append {
      const guards = refs
        .filter(([, ref]) => ref.stream !== stream)
        .map(([name, { stream: guarded, about }]) => ({
          stream: guarded,
          revision: states[name]!.revision,
          ...(about !== undefined && { about }),
        }));
      return {
        stream,
        events: events.map((event, index) => ({ id: idOf(index), event })),
        expected: written ? states[written[0]]!.revision : 'any',
        guards,
        occurredAt: deps.now().toISOString(),
        metadata: {
          actorId: actorId(actor),
          correlationId: request.correlationId,
          causationId: request.causationId ?? null,
          ...(guards.length > 0 && {
            reliedOn: Object.fromEntries(guards.map((g) => [g.stream, g.revision])),
          }),
        },
      };
    }

    const turn = written ? stream : command.oneAtATime?.(input, actor);
    return turn === undefined ? run() : deps.oneAtATime(turn, run);
  };

  /** The ids of what the command appends follow from its key, so that a repetition is a duplicate in the log. */
  function eventIds<I, S, E extends DomainEvent>(
    command: Command<I, S, E>,
    input: I,
    { actor, key, causationId }: Request,
    message: MessageFacts | undefined,
  ): (index: number) => string {
    const own = command.key?.(input, { message }, actor);
    const asked = key === undefined ? undefined : `${actorId(actor)}/${key}`;
    const name = own ?? causationId ?? asked ?? deps.newId();
    return (index) => deps.deriveId(command.name, name, index);
  }
}

/** The events, or the rule that says no. */
function decide<I, S, E extends DomainEvent>(
  command: Command<I, S, E>,
  input: I,
  { states, message }: { states: States; message: MessageFacts | undefined },
  context: Context,
): E[] | CommandRejected {
  const known = Object.fromEntries(Object.entries(states).map(([name, { state }]) => [name, state]));
  try {
    return command.decide(input, { ...(known as S), message }, context);
  } catch (error) {
    if (error instanceof CommandRejected) return error;
    throw error;
  }
}
