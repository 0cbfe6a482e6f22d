import { type ChatClient, ChatProblem, type Store, type User } from 'slay-e-chat-client';
import {
  createContext,
  useCallback,
  useContext,
  useEffect,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react';
import { words } from './words.ts';

const ChatContext = createContext<ChatClient | undefined>(undefined);
export const ChatProvider = ChatContext.Provider;

/** Returns the client of whoever uses the page. */
export function useChat(): ChatClient {
  const chat = useContext(ChatContext);
  if (!chat) throw new Error('There is no client around this part');
  return chat;
}

export const useStore = <T,>({ subscribe, getSnapshot }: Store<T>): T =>
  useSyncExternalStore(subscribe, getSnapshot);

/** Returns who is logged in, for parts that nobody else sees. */
export function useUser(): User {
  const user = useStore(useChat().user);
  if (!user) throw new Error('Nobody is logged in');
  return user;
}

/** Returns what a refusal means to a person. */
export function sayWhy(error: unknown): string {
  if (!(error instanceof ChatProblem)) return words.problem;
  const [first] = error.errors;
  return words.problems[error.code] ?? first?.message ?? words.problem;
}

export interface Loaded<T> {
  data: T | undefined;
  problem: unknown;
  reload: () => void;
}

/**
 * Loads something, and again when `keys` change or `reload` is called. An answer that was overtaken is dropped, and its
 * call cancelled if it takes the signal.
 */
export function useLoad<T>(load: (signal: AbortSignal) => Promise<T>, keys: readonly unknown[]): Loaded<T> {
  const [state, setState] = useState<{ data: T | undefined; problem: unknown }>({
    data: undefined,
    problem: undefined,
  });
  const [turn, setTurn] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  useEffect(() => {
    const overtaken = new AbortController();
    const { signal } = overtaken;
    latest.current(signal).then(
      (data) => !signal.aborted && setState({ data, problem: undefined }),
      (problem: unknown) => !signal.aborted && setState({ data: undefined, problem }),
    );
    return () => overtaken.abort();
  }, [turn, ...keys]);
  return { ...state, reload: useCallback(() => setTurn((before) => before + 1), []) };
}

export interface Pages<T> extends Omit<Loaded<readonly T[]>, 'data'> {
  items: readonly T[] | undefined;
  /** Loads the next page; undefined after the last. */
  more: (() => void) | undefined;
}

type Page<T> = { data: T[]; nextCursor: string | null };

/** Loads a list page by page, and anew when `keys` change or `reload` is called. */
export function usePages<T>(
  load: (cursor?: { cursor: string }) => Promise<Page<T>>,
  keys: readonly unknown[],
): Pages<T> {
  const first = useLoad(() => load(), keys);
  const [added, setAdded] = useState<{ to: unknown; items: T[]; next: string | null }>();
  const [problem, setProblem] = useState<unknown>();
  const mine = added !== undefined && added.to === first.data ? added : undefined;
  const cursor = mine ? mine.next : (first.data?.nextCursor ?? null);
  const isLoading = useRef(false);
  async function more(): Promise<void> {
    if (cursor === null || isLoading.current) return;
    isLoading.current = true;
    try {
      const page = await load({ cursor });
      setAdded({ to: first.data, items: [...(mine?.items ?? []), ...page.data], next: page.nextCursor });
      setProblem(undefined);
    } catch (error) {
      setProblem(error);
    } finally {
      isLoading.current = false;
    }
  }
  return {
    items: first.data && [...first.data.data, ...(mine?.items ?? [])],
    more: cursor === null ? undefined : () => void more(),
    problem: first.problem ?? problem,
    reload: first.reload,
  };
}

export interface Action<A extends unknown[]> {
  run: (...given: A) => void;
  isRunning: boolean;
  problem: unknown;
}

/** Returns a call that runs once at a time, and how it went. */
export function useAction<A extends unknown[]>(work: (...given: A) => Promise<unknown>): Action<A> {
  const [isRunning, setRunning] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const busy = useRef(false);
  const latest = useRef(work);
  latest.current = work;
  const run = useCallback((...given: A) => {
    if (busy.current) return;
    busy.current = true;
    setRunning(true);
    setProblem(undefined);
    void latest
      .current(...given)
      .catch(setProblem)
      .finally(() => {
        busy.current = false;
        setRunning(false);
      });
  }, []);
  return { run, isRunning, problem };
}
