import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { MAX_STALE_MS } from '../../auth/authenticate.ts';
import { type Authenticate, type Revocations, RevocationsUnknown } from '../../auth/session.ts';
import type { Command, Lookups } from '../../commands/command.ts';
import type { HandleCommand, Outcome, Request } from '../../commands/handle-command.ts';
import { deleteMessage } from '../../commands/message/delete-message.ts';
import { editMessage } from '../../commands/message/edit-message.ts';
import { addReaction, removeReaction } from '../../commands/message/react-to-message.ts';
import { sendMessage } from '../../commands/message/send-message.ts';
import type { ReadMarkers, Reading } from '../../commands/read-marker/move-read-marker.ts';
import type { GroupKind } from '../../events/chat-group.ts';
import type { ConversationEvent } from '../../events/domain-event.ts';
import type { EventStore } from '../../events/event-store.ts';
import type { GroupId, MessageId } from '../../events/ids.ts';
import type { Positions } from '../../protocol/positions.ts';
import { messageChangedAnswer, messageSentAnswer } from '../../protocol/answers.ts';
import {
  type Cost,
  DEFAULT_COSTS,
  type RateLimits,
  SYNC_GROUPS_PER_POINT,
  costOf,
} from '../../protocol/rate-limits.ts';
import { type Problem, ProblemError, problem, toProblem } from '../../protocol/problem.ts';
import { asUuid, parseTraceparent, traceIdOf } from '../../kit/trace-context.ts';
import { type Tracing, noTracing } from '../../kit/tracing.ts';
import type { UnseenBy } from '../delivery/unseen.ts';
import type { Hints } from '../presence/hints.ts';
import { type Heads, headsOfOne } from '../rooms/heads.ts';
import type { Membership } from '../rooms/membership.ts';
import { groupRoom } from '../rooms/rooms.ts';
import { type ChatSocket, type Trust, endSocket, sessionFault } from './connection.ts';
import { type Answer, type ClientEvent, type Payload, Traceable, clientEvents } from './protocol.ts';
import { type FirstSeqs, syncFrom } from './sync.ts';

interface HandleEventDeps extends Trust {
  handlers: ClientEventHandlers;
  rateLimits: RateLimits;
  revocations: Pick<Revocations, 'isRevoked' | 'staleMs'>;
  /** Called with the code of every refusal. */
  refused: (code: string) => void;
  newId: () => string;
  tracing?: Tracing | undefined;
  log: Logger;
}

/** What names an event of a client in the log, and in what follows from it. */
type Asked = Pick<Request, 'correlationId' | 'trace'>;

/** docs/promises.md no. 7 promises 5 s from the arrival of the event, so the wait for its turn counts. */
const ANSWER_MS = 4_000;

type Reply = (answer: { ok: boolean }) => void;
type Handler = (socket: ChatSocket, payload: unknown, asked: Asked) => Promise<object>;

/** Returns the problem as clients see it, without the waiting time, which is for HTTP fields. */
export function shown(error: unknown): Problem {
  const { retryAfterSeconds: _forHttp, ...visible } = toProblem(error);
  return visible;
}

const costs = new Map<unknown, Cost>(
  Object.keys(clientEvents).map((name) => [name, costOf(name) ?? DEFAULT_COSTS.socketEvent]),
);
/** Returns the cost of an event. An unknown event costs as much as any. */
const costOfEvent = (name: unknown): Cost => costs.get(name) ?? DEFAULT_COSTS.socketEvent;

const isClientEvent = (name: unknown): name is ClientEvent =>
  typeof name === 'string' && Object.hasOwn(clientEvents, name);

/** Returns a payload without its `traceparent`. Throws `ZodError` if that is neither a string nor null. */
function withoutTrace(payload: unknown): unknown {
  if (typeof payload !== 'object' || payload === null || !Object.hasOwn(payload, 'traceparent'))
    return payload;
  const { traceparent: _asked, ...given } = Traceable.parse(payload);
  return given;
}

/** Handles every event that a client sends. Never throws: hostile input is answered or ignored. */
export function eventHandler(deps: HandleEventDeps) {
  const { handlers, rateLimits, revocations, refused, newId, tracing = noTracing, log } = deps;

  /** Reads what a payload of any shape tells of its trace. */
  function asked(payload: unknown): Asked {
    const { traceparent } = Object(payload) as { traceparent?: unknown };
    const trace = parseTraceparent(traceparent);
    return { correlationId: trace ? asUuid(trace.traceId) : newId(), trace };
  }

  async function obey(socket: ChatSocket, name: ClientEvent, args: unknown[], by: Asked): Promise<object> {
    const fault = sessionFault(socket.data.session, deps);
    if (fault) throw new ProblemError(problem(fault));
    if (revocations.staleMs() > MAX_STALE_MS) throw new RevocationsUnknown();
    const cost = costOfEvent(name);
    if (typeof cost === 'string') await rateLimits.consume(cost, socket.data.user.id);
    if (args.length > 1)
      throw new ProblemError(problem('BAD_REQUEST', { detail: 'An event carries one payload' }));
    const payload = clientEvents[name].payload.parse(withoutTrace(args[0]));
    return (handlers[name] as Handler)(socket, payload, by);
  }

  function refuse(
    { data: connection }: ChatSocket,
    name: unknown,
    error: unknown,
    reply: Reply | undefined,
    by?: Asked,
  ): void {
    const visible = shown(error);
    if (visible.code === 'INTERNAL') {
      const { correlationId } = by ?? {};
      const trace = tracing.isOn && correlationId !== undefined && { trace_id: traceIdOf(correlationId) };
      log.error({ err: error, event: name, correlationId, ...trace }, 'a socket event failed');
    }
    refused(visible.code);
    reply?.({ ok: false, error: visible } as { ok: boolean });
    // Failures on the server's side do not count, because clients are asked to repeat the event.
    if (visible.status < 500) connection.wasRefused();
  }

  return function handleEvent(socket: ChatSocket, packet: unknown[]): void {
    const { data: connection } = socket;
    const reply = typeof packet.at(-1) === 'function' ? (packet.at(-1) as Reply) : undefined;
    const [name] = packet;
    const args = packet.slice(1, reply && -1);
    const bytes = connection.takeSize();
    if (connection.wire.isCut) return;
    let dueAt = 0;
    try {
      const cost = costOfEvent(name);
      if (typeof cost === 'number')
        dueAt = performance.now() + rateLimits.spend('requests', connection.user.id, cost).delayMs;
    } catch (error) {
      return refuse(socket, name, error, reply);
    }
    if (!isClientEvent(name)) return refuse(socket, name, new ProblemError(problem('UNKNOWN_EVENT')), reply);

    const by = asked(args[0]);
    let isAnswered = false;
    const late = setTimeout(() => {
      isAnswered = true;
      refuse(socket, name, new ProblemError(problem('UNAVAILABLE', { retryAfterSeconds: 1 })), reply);
    }, ANSWER_MS).unref();
    const isQueued = connection.enqueue(bytes, async () => {
      const delayMs = dueAt - performance.now();
      if (delayMs > 0) await pause(delayMs);
      // The client was told to repeat the event, and does not expect it to take effect later.
      if (isAnswered) return;
      try {
        const answer = await obey(socket, name, args, by);
        if (!isAnswered) reply?.({ ok: true, ...answer });
      } catch (error) {
        if (!isAnswered) refuse(socket, name, error, reply, by);
        const fault = sessionFault(connection.session, deps);
        if (fault) endSocket(socket, fault);
      } finally {
        clearTimeout(late);
      }
    });
    if (isQueued) return;
    clearTimeout(late);
    refuse(socket, name, new ProblemError(problem('RATE_LIMITED', { retryAfterSeconds: 1 })), reply);
  };
}

interface ClientEventDeps {
  store: EventStore;
  handle: HandleCommand;
  lookups: Lookups;
  positions: Pick<Positions, 'epoch' | 'encode'>;
  authenticate: Authenticate;
  rateLimits: RateLimits;
  membership: Membership;
  readMarkers: ReadMarkers;
  hints: Pick<Hints, 'typing'>;
  /** Announces that a marker has moved; `from` is the socket that asked for it. */
  announceRead: (reading: Reading, from: string) => void;
  firstSeqs: FirstSeqs;
  unseenBy: UnseenBy;
}

/** The handler of each event. Its payload has been checked, and its socket may send it. */
type ClientEventHandlers = {
  [N in ClientEvent]: (socket: ChatSocket, payload: Payload<N>, asked: Asked) => Promise<Answer<N>>;
};

/** Creates the table of the protocol, with one handler for each event that a client may send. */
export function clientEventHandlers(deps: ClientEventDeps): ClientEventHandlers {
  const { store, membership, positions } = deps;
  const sync = syncFrom(deps);

  const run = <I, S, E extends ConversationEvent>(
    command: Command<I, S, E>,
    input: I,
    { data: { session } }: ChatSocket,
    asked: Asked,
  ): Promise<Outcome<E>> => deps.handle(command, input, { actor: session.actor, ...asked });

  const change =
    <I extends { groupId: GroupId; messageId: MessageId }, S>(command: Command<I, S, ConversationEvent>) =>
    async (socket: ChatSocket, input: I, asked: Asked) =>
      messageChangedAnswer(deps, input, await run(command, input, socket, asked));

  return {
    async sendMessage(socket, input, asked) {
      return messageSentAnswer(positions, await run(sendMessage, input, socket, asked));
    },
    editMessage: change(editMessage),
    deleteMessage: change(deleteMessage),
    addReaction: change(addReaction),
    removeReaction: change(removeReaction),

    async markRead(socket, { groupId, seq }) {
      const { user, session } = socket.data;
      await membership.require(groupId, session.actor, 'read');
      const marker = await deps.readMarkers.move(groupId, session.actor, seq);
      if (marker.moved) deps.announceRead({ groupId, userId: user.id, seq: marker.seq }, socket.id);
      return { unreadCount: marker.unreadCount };
    },

    async typing(socket, { groupId, isTyping }) {
      const { user, session } = socket.data;
      await membership.require(groupId, session.actor, 'write');
      if (socket.data.mayType()) await deps.hints.typing({ groupId, userId: user.id, isTyping }, socket.id);
      return {};
    },

    async joinRoom(socket, { groupId }) {
      const { user, session, leftRooms, wire } = socket.data;
      let changesSeen: number;
      let heads: Heads;
      let kind: GroupKind;
      do {
        changesSeen = user.membershipChanges;
        kind = (await membership.requireNow(groupId, session.actor)).kind;
        heads = await headsOfOne(store, groupId);
      } while (changesSeen !== user.membershipChanges);
      leftRooms.delete(groupId);
      if (socket.connected && !wire.isCut) void socket.join(groupRoom(groupId));
      return { ...heads, epoch: positions.epoch, kind };
    },

    async leaveRoom(socket, { groupId }) {
      const { session, leftRooms } = socket.data;
      await membership.requireNow(groupId, session.actor);
      leftRooms.add(groupId);
      void socket.leave(groupRoom(groupId));
      return { headSeq: (await headsOfOne(store, groupId)).headSeq };
    },

    async sync(socket, asked) {
      const more = Math.floor((asked.groups.length - 1) / SYNC_GROUPS_PER_POINT);
      deps.rateLimits.spend('requests', socket.data.user.id, more);
      await socket.data.wire.drained();
      return sync(asked, socket.data.session.actor);
    },

    async refreshAuth(socket, { token }) {
      const { data: connection } = socket;
      const session = await deps.authenticate(token);
      if (session.actor.userId !== connection.user.id)
        throw new ProblemError(problem('FORBIDDEN', { detail: 'The token belongs to another user' }));
      connection.session = session;
      connection.isWarned = false;
      return { expiresIn: Math.max(0, Math.floor((session.expiresAt - Date.now()) / 1_000)) };
    },
  };
}
