import type { DomainEvent, EventType } from '../events/domain-event.ts';
import {
  type Append,
  type EventStore,
  EventStoreUnavailable,
  type Guard,
  type Position,
  type Recorded,
  type Revision,
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
type Refs = Readonly<Record<string, AggregateRef<unknown>>>;
/** Returns a state that is cached, which costs no turn of the event loop, or a promise of one that has to be read. */
type Source = (ref: AggregateRef<unknown>) => Folded | Promise<Folded>;

/** The folded streams and their states, by the names that the command gives them. */
interface Known {
  folded: Record<string, Folded>;
  states: Record<string, unknown>;
}

/** Adds the states of `refs`. Returns a promise when one of them has to be waited for. */
function learn(known: Known, refs: Refs, source: Source): Promise<unknown> | undefined {
  const keep = (name: string, folded: Folded) => {
    ensure(!folded.isDamaged, 'STREAM_DAMAGED');
    known.folded[name] = folded;
    known.states[name] = folded.state;
  };
  let waiting: Promise<void>[] | undefined;
  for (const name of Object.keys(refs)) {
    const found = source(refs[name]!);
    if (found instanceof Promise) (waiting ??= []).push(found.then((folded) => keep(name, folded)));
    else keep(name, found);
  }
  return waiting && Promise.all(waiting);
}

/**
 * Handles a command, which is the only way to write to the log: loads the states, decides, appends, and runs
 * automations. Read markers, credentials and sessions are rows beside the log. `input` has been parsed with
 * the command's schema. Throws `CommandRejected` for a broken rule or a damaged stream, `AutomationRefused`
 * when a rule prevents a consequence, and `EventStoreUnavailable` when the log cannot take it now.
 */
export function commandHandler({ store, loader, tracing = noTracing, ...deps }: CommandDeps): HandleCommand {
  const refresh: Source = (ref) => loader.refresh(ref);
  const causes = new Set<string>(deps.causes);

  const appendInSpan = (events: Append, parent: TraceContext | undefined) => {
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
    });
  };
  const append = (events: Append, parent: TraceContext | undefined) =>
    (tracing.isOn ? appendInSpan(events, parent) : store.append(events)).catch((error: unknown) => {
      throw error instanceof StreamDamaged ? new CommandRejected('STREAM_DAMAGED', error) : error;
    });

  return async function handle<I, S, E extends DomainEvent>(
    command: Command<I, S, E>,
    input: I,
    request: Request,
  ) {
    const { actor } = request;
    const stream = command.writes(input, actor);
    const base = command.reads(input, actor) as Refs;
    /** The name of the state that is written as well. */
    const written = Object.keys(base).find((name) => base[name]!.stream === stream);
    const first: Source = (ref) =>
      command.opens && written !== undefined && ref === base[written] ? loader.guess(ref) : loader.load(ref);
    /** The states that the decision relies on. */
    let refs = base;

    /** Loads the states, and then those that they lead to. */
    function know(source: Source): Known | Promise<Known> {
      const known: Known = { folded: {}, states: {} };
      const learnMore = () => {
        if (!command.readsThen) return known;
        const more = command.readsThen(known.states as S, input, actor) as Refs;
        refs = { ...base, ...more };
        const waiting = learn(known, more, source);
        return waiting ? waiting.then(() => known) : known;
      };
      const waiting = learn(known, base, source);
      return waiting ? waiting.then(learnMore) : learnMore();
    }

    async function run(trace: TraceContext | undefined): Promise<Outcome<E>> {
      const about = command.message?.(input);
      const message = about && (await deps.lookups.message(about.groupId, about.messageId, actor));
      const idOf = eventIds(command, input, request, message);
      const atHand = know(first);
      let known = atHand instanceof Promise ? await atHand : atHand;
      let isFresh = false;
      let beyond: Conflict | undefined;
      for (let attempts = 0; attempts < MAX_ATTEMPTS; attempts += 1) {
        const decision = decide(
          command,
          input,
          { ...(known.states as S), message },
          { actor, newId: deps.newId, now: deps.now() },
        );
        if (Array.isArray(decision) && decision.length > 0) {
          const verdict = await append(toAppend(decision, known, idOf), trace);
          if (verdict.outcome === 'conflict') beyond = verdict;
          else {
            requireKnown(verdict.events);
            const events = verdict.events as Recorded<E>[];
            if (verdict.outcome === 'duplicate') requireSame(events[0]);
            if (written !== undefined && verdict.outcome === 'appended')
              loader.absorb(base[written]!, events);
            const followed = events.some(({ type }) => causes.has(type)) ? await deps.automate(events) : 0;
            const position = Math.max(events.at(-1)!.position, followed);
            return { events, duplicate: verdict.outcome === 'duplicate', position };
          }
        } else if (isFresh) {
          return settled(decision, known, idOf(0));
        }
        known = await know(refresh);
        isFresh = true;
        // The rest of the stream cannot be read.
        ensure(!isAnyShortOf(beyond, refs, known), 'STREAM_DAMAGED');
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
      { folded }: Known,
      firstId: string,
    ): Promise<Outcome<E>> {
      const found = await store.find(firstId);
      if (found) requireKnown([found]);
      const earlier = found?.metadata.actorId === actorId(actor) ? (found as Recorded<E>) : undefined;
      if (!earlier && decision instanceof CommandRejected) throw decision;
      requireSame(earlier);
      const positions = Object.values(folded).map((each) => each.position);
      const latest = earlier ? [earlier] : written === undefined ? [] : await latestCauses(folded[written]!);
      const reached = earlier?.position ?? Math.max(0, ...positions);
      const position = Math.max(reached, await deps.automate(latest));
      return { events: earlier ? [earlier] : [], duplicate: earlier !== undefined, position };
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

    const requireSame = (earlier: E | undefined) =>
      ensure(!earlier || (command.repeats?.(input, earlier) ?? true), 'CLIENT_MSG_ID_REUSED');

    function toAppend(events: E[], { folded }: Known, idOf: (index: number) => string): Append {
      const guards: Guard[] = [];
      const reliedOn: Record<string, Revision> = {};
      for (const name of Object.keys(refs)) {
        const { stream: guarded, about } = refs[name]!;
        if (guarded === stream) continue;
        const { revision } = folded[name]!;
        guards.push(
          about === undefined ? { stream: guarded, revision } : { stream: guarded, revision, about },
        );
        reliedOn[guarded] = revision;
      }
      return {
        stream,
        events: events.map((event, index) => ({ id: idOf(index), event })),
        expected: written === undefined ? 'any' : folded[written]!.revision,
        guards,
        occurredAt: deps.now().toISOString(),
        metadata: {
          actorId: actorId(actor),
          correlationId: request.correlationId,
          causationId: request.causationId ?? null,
          ...(guards.length > 0 && { reliedOn }),
          ...(request.via && { via: request.via }),
        },
      };
    }

    const turn = written === undefined ? command.oneAtATime?.(input, actor) : stream;
    const inTurn = (trace: TraceContext | undefined) =>
      turn === undefined ? run(trace) : deps.oneAtATime(turn, () => run(trace));
    if (!tracing.isOn) return inTurn(undefined);
    const { trace, causationId } = request;
    const span = {
      parent: trace,
      begins: causationId === undefined ? request.correlationId : undefined,
      kind: causationId === undefined ? ('server' as const) : ('internal' as const),
      attributes: { 'chat.command': command.name },
    };
    return inSpan(tracing, 'command', span, (own) => inTurn(own?.context));
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

/** Returns true if a state read after a conflict is still older than its stream was in the conflict. */
const isAnyShortOf = (conflict: Conflict | undefined, refs: Refs, { folded }: Known): boolean =>
  conflict !== undefined &&
  Object.keys(refs).some(
    (name) => refs[name]!.stream === conflict.stream && folded[name]!.revision < conflict.actual,
  );

/** Returns the events, or the rejection. */
function decide<I, S, E extends DomainEvent>(
  command: Command<I, S, E>,
  input: I,
  known: S & { message: MessageFacts | undefined },
  context: Context,
): E[] | CommandRejected {
  try {
    return command.decide(input, known, context);
  } catch (error) {
    if (error instanceof CommandRejected) return error;
    throw error;
  }
}
