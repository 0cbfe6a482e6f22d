import type { DomainEvent, EventType } from '../events/domain-event.ts';
import {
  type Append,
  type EventStore,
  EventStoreUnavailable,
  type Position,
  type Recorded,
  StreamDamaged,
  type Verdict,
  type Via,
} from '../events/event-store.ts';
import { requireKnown } from '../events/stored-events.ts';
import { categoryOf } from '../events/streams.ts';
import type { TraceContext } from '../kit/trace-context.ts';
import { type Tracing, inSpan, noTracing } from '../kit/tracing.ts';
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

/** The actor and the context of a command. */
export interface Request {
  actor: ActorOrSystem;
  correlationId: string;
  /** The id of the event that caused this command. */
  causationId?: string;
  /** The span of the caller, or of the event that caused this command. */
  trace?: TraceContext | undefined;
  /** The client's idempotency key. The same key of the same actor means the same command. */
  key?: string;
  /** The client that acts for the actor. */
  via?: Via | undefined;
}

export interface Outcome<E extends DomainEvent = DomainEvent> {
  /** The events appended; for a repetition, those of the first time. Empty when there was nothing left to do. */
  events: Recorded<E>[];
  duplicate: boolean;
  /** A query that has caught up to this position shows the outcome and its consequences. */
  position: Position;
}

export interface CommandDeps {
  store: EventStore;
  loader: AggregateLoader;
  lookups: Lookups;
  /**
   * Runs the automations of events at once, repeating them if necessary. Resolves with the position that
   * covers them, 0 if none.
   */
  automate: (events: Recorded[]) => Promise<Position>;
  /** The types of events that trigger automations. */
  causes: readonly EventType[];
  /**
   * Runs one piece of work at a time for each key, such as a stream, so that a process does not compete with
   * itself.
   */
  oneAtATime: <T>(what: string, work: () => Promise<T>) => Promise<T>;
  newId: () => string;
  /** Returns the same UUID for the same parts, always. */
  deriveId: (...parts: (string | number)[]) => string;
  now: () => Date;
  tracing?: Tracing;
}

export type HandleCommand = <I, S, E extends DomainEvent>(
  command: Command<I, S, E>,
  input: I,
  request: Request,
) => Promise<Outcome<E>>;

/**
 * Maximum number of times that a command may lose to other processes. Each loss means that another command
 * succeeded.
 */
export const MAX_ATTEMPTS = 20;

type Conflict = Extract<Verdict, { outcome: 'conflict' }>;
type Refs = [name: string, ref: AggregateRef<unknown>][];
type States = Record<string, Folded>;

/**
 * Handles a command, which is the only way to write to the log: loads the states, decides, appends, and runs
 * automations. Read markers, credentials and sessions are rows beside the log. `input` has been parsed with
 * the command's schema. Throws `CommandRejected` for a broken rule or a damaged stream, `AutomationRefused`
 * when a rule prevents a consequence, and `EventStoreUnavailable` when the log cannot take it now.
 */
export function commandHandler({ store, loader, tracing = noTracing, ...deps }: CommandDeps): HandleCommand {
  const loadStates = async (
    refs: Refs,
    load: (ref: AggregateRef<unknown>) => Folded | Promise<Folded>,
  ): Promise<States> => {
    const folded = await Promise.all(refs.map(async ([name, ref]) => [name, await load(ref)] as const));
    ensure(!folded.some(([, { isDamaged }]) => isDamaged), 'STREAM_DAMAGED');
    return Object.fromEntries(folded);
  };
  const refresh = (ref: AggregateRef<unknown>) => loader.refresh(ref);
  const append = (events: Append, parent: TraceContext | undefined) => {
    const attributes = { 'chat.category': categoryOf(events.stream), 'chat.events': events.events.length };
    return inSpan(tracing, 'append', { parent, kind: 'client', attributes }, async (span) => {
      const { metadata } = events;
      const verdict = await store.append(
        span ? { ...events, metadata: { ...metadata, trace: span.context.spanId } } : events,
      );
      span?.set({
        'chat.outcome': verdict.outcome,
        ...(verdict.outcome !== 'conflict' && { 'chat.position': verdict.events.at(-1)!.position }),
      });
      return verdict;
    }).catch((error: unknown) => {
      throw error instanceof StreamDamaged ? new CommandRejected('STREAM_DAMAGED', error) : error;
    });
  };

  return async function handle<I, S, E extends DomainEvent>(
    command: Command<I, S, E>,
    input: I,
    request: Request,
  ) {
    const { actor } = request;
    const stream = command.writes(input, actor);
    const base = Object.entries(command.reads(input, actor)) as Refs;
    const written = base.find(([, ref]) => ref.stream === stream);
    /** The states that the decision relies on. */
    let refs = base;

    /** Loads the states, and then those that they lead to. */
    async function know(load: (ref: AggregateRef<unknown>) => Folded | Promise<Folded>): Promise<States> {
      const states = await loadStates(base, load);
      if (!command.readsThen) return states;
      const more = Object.entries(command.readsThen(known(states) as S, input, actor)) as Refs;
      refs = [...base, ...more];
      return { ...states, ...(await loadStates(more, load)) };
    }

    async function run(trace: TraceContext | undefined): Promise<Outcome<E>> {
      const about = command.message?.(input);
      const message = about && (await deps.lookups.message(about.groupId, about.messageId, actor));
      const idOf = eventIds(command, input, request, message);
      let states = await know((ref) =>
        command.opens && ref === written?.[1] ? loader.guess(ref) : loader.load(ref),
      );
      let isFresh = false;
      let beyond: Conflict | undefined;
      for (let attempts = 0; attempts < MAX_ATTEMPTS; attempts += 1) {
        const decision = decide(
          command,
          input,
          { states, message },
          { actor, newId: deps.newId, now: deps.now() },
        );
        if (Array.isArray(decision) && decision.length > 0) {
          const verdict = await append(toAppend(decision, states, idOf), trace);
          if (verdict.outcome === 'conflict') beyond = verdict;
          else {
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
        states = await know(refresh);
        isFresh = true;
        // The rest of the stream cannot be read.
        ensure(!refs.some(([name, ref]) => isShortOf(beyond, ref, states[name]!)), 'STREAM_DAMAGED');
      }
      throw new EventStoreUnavailable(`${command.name} lost ${MAX_ATTEMPTS} races for ${stream}`);
    }

    /**
     * Handles a decision that appends nothing, made on the newest state. A repetition by the same actor gets
     * the outcome of its first success. Other requests get the rejection, or an outcome without events. The
     * automations run again, because they may have been interrupted.
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
      const positions = Object.values(states).map((folded) => folded.position);
      const causes = first ? [first] : written ? await latestCauses(states[written[0]]!) : [];
      const reached = first?.position ?? Math.max(0, ...positions);
      const position = Math.max(reached, await deps.automate(causes));
      return { events: first ? [first] : [], duplicate: first !== undefined, position };
    }

    /**
     * Resolves with the last event of each type that triggers automations. The follower of the log handles
     * those before them.
     */
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
          ...(request.via && { via: request.via }),
        },
      };
    }

    const turn = written ? stream : command.oneAtATime?.(input, actor);
    const { trace, causationId } = request;
    const span = {
      parent: trace,
      begins: causationId === undefined ? request.correlationId : undefined,
      kind: causationId === undefined ? ('server' as const) : ('internal' as const),
      attributes: { 'chat.command': command.name },
    };
    return inSpan(tracing, 'command', span, (own) =>
      turn === undefined ? run(own?.context) : deps.oneAtATime(turn, () => run(own?.context)),
    );
  };

  /**
   * Derives the ids of the appended events from the key of the command, so that a repetition is a duplicate
   * in the log.
   */
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

/** Returns true if a state read after a conflict is still older than the stream was in the conflict. */
const isShortOf = (conflict: Conflict | undefined, { stream }: AggregateRef<unknown>, { revision }: Folded) =>
  conflict?.stream === stream && revision < conflict.actual;

/** Returns the states by their names. */
const known = (states: States): object =>
  Object.fromEntries(Object.entries(states).map(([name, { state }]) => [name, state]));

/** Returns the events, or the rejection. */
function decide<I, S, E extends DomainEvent>(
  command: Command<I, S, E>,
  input: I,
  { states, message }: { states: States; message: MessageFacts | undefined },
  context: Context,
): E[] | CommandRejected {
  try {
    return command.decide(input, { ...(known(states) as S), message }, context);
  } catch (error) {
    if (error instanceof CommandRejected) return error;
    throw error;
  }
}
