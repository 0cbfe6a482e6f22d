import { type Socket, io } from 'socket.io-client';
import { ChatProblem, asProblem, noAnswer } from './problem.ts';
import type { components } from './protocol.ts';
import type { Tokens } from './session.ts';
import { type Store, createStore } from './store.ts';
import { backOff, pause } from './waiting.ts';

type Problem = components['schemas']['Problem'];
type ClientEvents = components['schemas']['ClientEvents'];
export type ServerEvents = components['schemas']['ServerEvents'];
export type ClientEvent = keyof ClientEvents;
export type ServerEvent = keyof ServerEvents;
export type Payload<N extends ClientEvent> = ClientEvents[N]['payload'];
export type Answer<N extends ClientEvent> = Omit<Extract<ClientEvents[N]['ack'], { ok: true }>, 'ok'>;

/**
 * How the connection stands. `refused` is the end: the session was revoked, for example, and `problem` says so. From
 * every other state it comes back by itself.
 */
export interface ConnectionState {
  status: 'closed' | 'connecting' | 'open' | 'refused';
  /** Socket.IO's name for why the last connection ended. */
  reason?: string;
  problem?: ChatProblem;
}

export interface Connection {
  state: Store<ConnectionState>;
  open: () => void;
  close: () => void;
  on: <N extends ServerEvent>(name: N, listener: (payload: ServerEvents[N]) => void) => () => void;
  /** Sends one event. Throws `ChatProblem`; after `NO_ANSWER` nobody knows whether it took effect. */
  ask: <N extends ClientEvent>(name: N, payload: Payload<N>) => Promise<Answer<N>>;
  /** Repeats an event until there is an answer, also over a reconnect. Throws what will not change by waiting. */
  insist: <N extends ClientEvent>(name: N, payload: Payload<N>, signal?: AbortSignal) => Promise<Answer<N>>;
  /** Resolves once the connection is open. Rejects when it is closed or refused for good, or the signal aborts. */
  opened: (signal?: AbortSignal) => Promise<void>;
  /** Breaks the transport, as a network does. The connection then comes back by itself. */
  breakOff: () => void;
}

/** The server answers within 5 s. A line that has not brought the answer by then is dead. */
const ACK_MS = 6_000;

/** Times to wait before reconnecting, in milliseconds: the first, and the longest after many failures. */
export type ReconnectMs = readonly [first: number, longest: number];
const USUAL_RECONNECT_MS: ReconnectMs = [300, 5_000];

/** Socket.IO's own types know one kind of payload for all events. */
type Handler = (payload: unknown) => void;

export interface ConnectionDeps {
  url: string;
  tokens: Tokens;
  reconnectMs?: ReconnectMs | undefined;
  /** Learns the position of every command that was answered. */
  learnPosition: (position: unknown) => void;
}

export function createConnection({ url, tokens, reconnectMs, learnPosition }: ConnectionDeps): Connection {
  const [first, longest] = reconnectMs ?? USUAL_RECONNECT_MS;
  const state = createStore<ConnectionState>({ status: 'closed' });
  let retry: ReturnType<typeof setTimeout> | undefined;
  let refusals = 0;
  let closing = new AbortController();
  /** The token of the last handshake, which a refusal is about. */
  let shown: string | undefined;
  let spent: string | undefined;

  const socket: Socket = io(url, {
    transports: ['websocket'],
    autoConnect: false,
    forceNew: true,
    reconnectionDelay: first,
    reconnectionDelayMax: longest,
    randomizationFactor: 0.5,
    // Without a token the handshake does not begin: the server ends it after 5 s, and the next try asks again.
    auth: (give: (auth: object) => void) => {
      const transport = socket.io.engine;
      void tokens.get(spent).then(
        (token) => {
          // The next try, which waits for the same token, begins the handshake of its own transport.
          if (socket.io.engine === transport) give({ token: (shown = token) });
        },
        (error: unknown) => tokensFailed(asProblem(error)),
      );
    },
  });

  const isWanted = () => state.getSnapshot().status === 'connecting' || state.getSnapshot().status === 'open';

  function refuse(problem: ChatProblem): void {
    clearTimeout(retry);
    state.set({ status: 'refused', problem });
    socket.disconnect();
  }

  function tokensFailed(problem: ChatProblem): void {
    if (!isWanted()) return;
    if (!problem.retryable) return refuse(problem);
    later(problem);
  }

  /** A stock client does not come back after a refusal by itself. */
  function later({ retryAfterMs }: { retryAfterMs?: number | undefined }): void {
    clearTimeout(retry);
    refusals += 1;
    const delay = Math.max(Math.min(backOff(refusals), longest), retryAfterMs ?? 0);
    retry = setTimeout(() => {
      if (!isWanted()) return;
      socket.disconnect().connect();
    }, delay);
  }

  socket.on('connect', () => {
    refusals = 0;
    spent = undefined;
    state.set({ status: 'open' });
  });
  socket.on('disconnect', (reason) => {
    if (!isWanted()) return;
    state.set({ status: 'connecting', reason });
    // The server ends the namespace only for what is over, such as a revoked session: the next handshake says so.
    if (reason === 'io server disconnect') socket.connect();
  });
  socket.on('connect_error', (error) => {
    const { data } = error as { data?: ConstructorParameters<typeof ChatProblem>[0] };
    if (!data || !isWanted()) return;
    const problem = new ChatProblem(data);
    // Another token may do: the key of this one may have been withdrawn. If the session has ended, there is none.
    if (problem.status === 401 && shown !== undefined && shown !== spent) spent = shown;
    else if (!problem.retryable) return refuse(problem);
    later(problem);
  });

  async function renew(): Promise<void> {
    const token = await tokens.get(shown);
    if (token === shown) return;
    shown = token;
    await ask('refreshAuth', { token });
  }
  // When this fails, the server closes the connection, and the next one asks for a token again.
  socket.on('sessionExpiring', () => void renew().catch(() => undefined));

  let moving: ReturnType<typeof setTimeout> | undefined;
  socket.on('draining', ({ reconnectInMs }: ServerEvents['draining']) => {
    clearTimeout(moving);
    const leaving = socket.id;
    // Each client leaves at its own time, so that they do not all arrive at the next node at once.
    moving = setTimeout(() => {
      if (socket.id === leaving) breakOff();
    }, reconnectInMs);
  });

  function breakOff(): void {
    socket.io.engine?.close();
  }

  async function ask<N extends ClientEvent>(name: N, payload: Payload<N>): Promise<Answer<N>> {
    if (!socket.connected) throw noAnswer('The connection is not open');
    const via = socket.id;
    const ack = (await socket
      .timeout(ACK_MS)
      .emitWithAck(name, payload)
      .catch(() => undefined)) as { ok: true; position?: string } | { ok: false; error: Problem } | undefined;
    if (ack === undefined) {
      if (socket.connected && socket.id === via) breakOff();
      throw noAnswer(`No answer to ${name}`);
    }
    if (!ack.ok) throw new ChatProblem(ack.error);
    learnPosition(ack.position);
    const { ok: _, ...answer } = ack;
    return answer as Answer<N>;
  }

  function opened(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = ({ status, problem }: ConnectionState): boolean => {
        if (status === 'connecting' && !signal?.aborted) return false;
        leave();
        signal?.removeEventListener('abort', abort);
        if (status === 'open') resolve();
        else reject(problem ?? noAnswer('The connection is closed'));
        return true;
      };
      const abort = () => settle({ status: 'closed' });
      let leave = () => {};
      if (settle(state.getSnapshot())) return;
      leave = state.subscribe(settle);
      signal?.addEventListener('abort', abort);
    });
  }

  async function insist<N extends ClientEvent>(
    name: N,
    payload: Payload<N>,
    signal?: AbortSignal,
  ): Promise<Answer<N>> {
    const { signal: closed } = closing;
    const ends = signal ? AbortSignal.any([signal, closed]) : closed;
    for (let tries = 0; ; tries += 1) {
      await opened(ends);
      try {
        return await ask(name, payload);
      } catch (error) {
        const problem = asProblem(error);
        if (!problem.retryable || ends.aborted) throw problem;
        // A connection that broke is waited for by itself.
        if (socket.connected) await pause(problem.retryAfterMs ?? backOff(tries), ends);
      }
    }
  }

  const wake = () => {
    if (isWanted() && !socket.connected) socket.disconnect().connect();
  };

  return {
    state,
    open() {
      if (isWanted()) return;
      closing = new AbortController();
      state.set({ status: 'connecting' });
      globalThis.addEventListener?.('online', wake);
      socket.connect();
    },
    close() {
      closing.abort();
      clearTimeout(retry);
      clearTimeout(moving);
      globalThis.removeEventListener?.('online', wake);
      state.set({ status: 'closed' });
      socket.disconnect();
    },
    on(name, listener) {
      socket.on(name as string, listener as unknown as Handler);
      return () => void socket.off(name as string, listener as unknown as Handler);
    },
    ask,
    insist,
    opened,
    breakOff,
  };
}
