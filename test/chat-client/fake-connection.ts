import type { Connection, ConnectionState, ServerEvents } from '../../packages/chat-client/src/connection.ts';
import { noAnswer } from '../../packages/chat-client/src/problem.ts';
import { createStore } from '../../packages/chat-client/src/store.ts';

type Listeners = Map<string, Set<(payload: never) => void>>;

/** A connection whose pushes, answers and failures a test decides. `answer` handles what the client asks. */
export function fakeConnection(answer: (name: string, payload: never) => Promise<unknown>) {
  const state = createStore<ConnectionState>({ status: 'closed' });
  const listeners: Listeners = new Map();
  const asked: { name: string; payload: unknown }[] = [];

  const opened = (signal?: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      const settle = () => {
        const { status } = state.getSnapshot();
        if (signal?.aborted || status === 'closed') reject(noAnswer('closed'));
        else if (status === 'open') resolve();
        else return;
        leave();
      };
      const leave = state.subscribe(settle);
      signal?.addEventListener('abort', settle);
      settle();
    });

  async function ask(name: string, payload: unknown) {
    if (state.getSnapshot().status !== 'open') throw noAnswer('not open');
    asked.push({ name, payload });
    return answer(name, payload as never);
  }

  const connection = {
    state,
    opened,
    ask,
    async insist(name: string, payload: unknown) {
      await opened();
      return ask(name, payload);
    },
    on(name: string, listener: (payload: never) => void) {
      const all = listeners.get(name) ?? new Set();
      listeners.set(name, all.add(listener));
      return () => void all.delete(listener);
    },
  } as unknown as Connection;

  return {
    connection,
    asked,
    state,
    push<N extends keyof ServerEvents>(name: N, payload: ServerEvents[N]) {
      for (const listener of listeners.get(name) ?? []) listener(payload as never);
    },
  };
}
