import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { MAX_STALE_MS } from '../../auth/authenticate.ts';
import { type Cost, DEFAULT_COSTS, costOf } from '../../protocol/costs.ts';
import type { RateLimits } from '../../protocol/rate-limits.ts';
import { type Revocations, RevocationsUnknown } from '../../auth/session.ts';
import { type Problem, ProblemError, problem, toProblem } from '../../protocol/problem.ts';
import type { ClientEventHandlers } from './client-events.ts';
import type { ChatSocket } from './connection.ts';
import { type ClientEvent, clientEvents } from './protocol.ts';
import { endSocket, sessionFault } from './sessions.ts';

interface HandleEventDeps {
  handlers: ClientEventHandlers;
  rateLimits: RateLimits;
  revocations: Pick<Revocations, 'isRevoked' | 'staleMs'>;
  /** Called with the code of every refusal. */
  refused: (code: string) => void;
  log: Logger;
}

/** docs/promises.md no. 7 promises 5 s from the arrival of the event, so the wait for its turn counts. */
const ANSWER_MS = 4_000;

type Reply = (answer: { ok: boolean }) => void;
type Handler = (socket: ChatSocket, payload: unknown) => Promise<object>;

/** Returns the problem as clients see it, without the waiting time, which is for HTTP fields. */
export function shown(error: unknown): Problem {
  const { retryAfterSeconds: _forHttp, ...visible } = toProblem(error);
  return visible;
}

/** Returns the cost of an event. An unknown event costs as much as any. */
const costOfEvent = (name: unknown): Cost =>
  (isClientEvent(name) ? costOf(name) : undefined) ?? DEFAULT_COSTS.socketEvent;

const isClientEvent = (name: unknown): name is ClientEvent =>
  typeof name === 'string' && Object.hasOwn(clientEvents, name);

/** Handles every event that a client sends. Never throws: hostile input is answered or ignored. */
export function eventHandler({ handlers, rateLimits, revocations, refused, log }: HandleEventDeps) {
  async function obey(socket: ChatSocket, name: ClientEvent, args: unknown[]): Promise<object> {
    const fault = sessionFault(socket.data.session, revocations);
    if (fault) throw new ProblemError(problem(fault));
    if (revocations.staleMs() > MAX_STALE_MS) throw new RevocationsUnknown();
    const cost = costOfEvent(name);
    if (typeof cost === 'string') await rateLimits.consume(cost, socket.data.user.id);
    if (args.length > 1)
      throw new ProblemError(problem('BAD_REQUEST', { detail: 'An event carries one payload' }));
    const payload = clientEvents[name].payload.parse(args[0]);
    return (handlers[name] as Handler)(socket, payload);
  }

  function refuse(
    { data: connection }: ChatSocket,
    name: unknown,
    error: unknown,
    reply: Reply | undefined,
  ): void {
    const visible = shown(error);
    if (visible.code === 'INTERNAL') log.error({ err: error, event: name }, 'a socket event failed');
    refused(visible.code);
    reply?.({ ok: false, error: visible } as { ok: boolean });
    // Failures on the server's side do not count, because clients are asked to repeat the event.
    if (visible.status < 500) connection.wasRefused();
  }

  return function handleEvent(socket: ChatSocket, packet: unknown[]): void {
    const { data: connection } = socket;
    const reply = typeof packet.at(-1) === 'function' ? (packet.at(-1) as Reply) : undefined;
    const [name, ...args] = reply ? packet.slice(0, -1) : packet;
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

    let isAnswered = false;
    const late = setTimeout(() => {
      isAnswered = true;
      refuse(socket, name, new ProblemError(problem('UNAVAILABLE')), reply);
    }, ANSWER_MS).unref();
    const isQueued = connection.enqueue(bytes, async () => {
      const delayMs = dueAt - performance.now();
      if (delayMs > 0) await pause(delayMs);
      // The client was told to repeat the event, and does not expect it to take effect later.
      if (isAnswered) return;
      try {
        const answer = await obey(socket, name, args);
        if (!isAnswered) reply?.({ ok: true, ...answer });
      } catch (error) {
        if (!isAnswered) refuse(socket, name, error, reply);
        const fault = sessionFault(connection.session, revocations);
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
