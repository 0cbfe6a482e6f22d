import type { components } from './protocol.ts';
import { ChatProblem, asProblem, problemOf } from './problem.ts';
import { type Store, createStore } from './store.ts';
import { backOff, inTime, lock, pause } from './waiting.ts';

export type User = components['schemas']['User'];
export type Credentials = components['schemas']['LogIn'];
type LoggedIn = components['schemas']['LoggedIn'];

/** What authorizes calls and sockets. */
export interface Tokens {
  /**
   * Resolves with an access token. With `spent`, one that was refused or is about to end, it resolves with another
   * one. Throws `ChatProblem`.
   */
  get: (spent?: string) => Promise<string>;
}

/** A token that somebody else renews: one for ever, or a function that gets a new one. */
export type GivenTokens = string | (() => Promise<string>);

/** What is kept of a session: a `Storage` of the browser, or anything like it. */
export type SessionStorage = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

interface Saved {
  user: User;
  accessToken: string;
  refreshToken: string;
  /** When the access token is to be renewed, in milliseconds since 1970. */
  renewAt: number;
}

interface Claims {
  sub?: string;
  exp?: number;
}

/** Reads a token without checking it: that is the server's part. */
function claimsOf(token: string): Claims {
  try {
    const part = token.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/');
    return JSON.parse(atob(part)) as Claims;
  } catch {
    return {};
  }
}

/** Returns the id of the user that a token speaks for; undefined if it does not say. */
export const userIdOf = (token: string): string | undefined => claimsOf(token).sub;

const ANSWER_MS = 12_000;
/** A token is renewed before it ends, because a call takes time. */
const EARLY_MS = 5_000;

export function givenTokens(given: GivenTokens, answerMs = ANSWER_MS): Tokens {
  if (typeof given === 'string')
    return {
      async get(spent) {
        if (spent === given)
          throw new ChatProblem({ code: 'TOKEN_EXPIRED', status: 401, detail: 'The only token has ended' });
        return given;
      },
    };
  let token: string | undefined;
  let asking: Promise<string> | undefined;
  // One that hangs is asked again: all calls wait for it.
  const ask = async () => (token = await inTime(given(), answerMs));
  return {
    get(spent) {
      const endsAt = (claimsOf(token ?? '').exp ?? Infinity) * 1_000;
      if (token !== undefined && token !== spent && Date.now() < endsAt - EARLY_MS)
        return Promise.resolve(token);
      return (asking ??= ask().finally(() => (asking = undefined)));
    },
  };
}

/** The session of a user who logs in with a password. All tabs of a browser share it. */
export interface Session extends Tokens {
  /** Undefined while nobody is logged in. */
  user: Store<User | undefined>;
  logIn: (credentials: Credentials) => Promise<User>;
  /** Ends the session on the server, if it can be reached, and forgets it here. */
  logOut: () => Promise<void>;
  /** Learns of other tabs that log in or out. Returns the function that ends that. */
  watch: () => () => void;
}

/** Parts of the lifetime of an access token after which it is renewed. */
const RENEW_AFTER = 0.8;
const TRIES = 3;
/** Nobody waits longer than this for a login to be repeated, and no other tab for the lock. */
const LONGEST_WAIT_MS = 5_000;

/** The storage of a process, or of a page that may not store anything. */
export function memoryStorage(): SessionStorage {
  const items = new Map<string, string>();
  return {
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, value),
    removeItem: (key) => void items.delete(key),
  };
}

const nobody = () => new ChatProblem({ code: 'TOKEN_MISSING', status: 401, detail: 'Nobody is logged in' });

const isPage = () => typeof document !== 'undefined';

export function createSession(url: string, storage: SessionStorage, request: typeof fetch): Session {
  const key = `chat-session ${url}`;
  /** What the storage did not take, because it is full. This page has it alone. */
  let unsaved: string | undefined;
  const read = (): Saved | undefined => {
    try {
      return (JSON.parse(unsaved ?? storage.getItem(key) ?? 'null') as Saved | null) ?? undefined;
    } catch {
      return undefined;
    }
  };
  function write(text: string): void {
    try {
      storage.setItem(key, text);
      unsaved = undefined;
    } catch {
      unsaved = text;
    }
  }
  const user = createStore(read()?.user);

  async function post(path: string, sent: RequestInit): Promise<Response> {
    const signal = AbortSignal.timeout(ANSWER_MS);
    const response = await request(url + path, { method: 'POST', signal, ...sent });
    if (!response.ok) throw await problemOf(response);
    return response;
  }

  async function open(path: string, body: unknown): Promise<LoggedIn> {
    const headers = { 'content-type': 'application/json' };
    return (await (await post(path, { headers, body: JSON.stringify(body) })).json()) as LoggedIn;
  }

  /** A repetition is safe: a refresh may be repeated until its answer has been used. */
  async function patiently<T>(call: () => Promise<T>): Promise<T> {
    for (let tries = 0; ; tries += 1) {
      try {
        return await call();
      } catch (error) {
        const problem = asProblem(error);
        const waitMs = problem.retryAfterMs ?? backOff(tries);
        if (!problem.retryable || tries === TRIES || waitMs > LONGEST_WAIT_MS) throw problem;
        await pause(waitMs);
      }
    }
  }

  function keep({ user: who, accessToken, refreshToken, expiresIn }: LoggedIn): Saved {
    const renewAt = Date.now() + expiresIn * 1_000 * RENEW_AFTER;
    const saved = { user: who, accessToken, refreshToken, renewAt };
    write(JSON.stringify(saved));
    showUser(who);
    return saved;
  }

  function showUser(who: User | undefined): void {
    if (JSON.stringify(who) !== JSON.stringify(user.getSnapshot())) user.set(who);
  }

  function forget(): void {
    unsaved = undefined;
    storage.removeItem(key);
    user.set(undefined);
  }

  const isUsable = (saved: Saved, spent: string | undefined) =>
    saved.accessToken !== spent && Date.now() < saved.renewAt;

  /** Under the lock, because a refresh token is spent once: another tab may have done it meanwhile. */
  const renew = (spent: string | undefined): Promise<string> =>
    lock(key, async () => {
      const saved = read();
      if (!saved) throw nobody();
      if (isUsable(saved, spent)) return saved.accessToken;
      const { refreshToken } = saved;
      try {
        const fresh = await patiently(() => open('/v1/auth/refresh', { refreshToken }));
        // Whoever has logged out meanwhile is not logged in again by this.
        if (read()?.refreshToken !== refreshToken) throw nobody();
        return keep(fresh).accessToken;
      } catch (error) {
        const problem = asProblem(error);
        const isOver = problem.status === 401 || problem.status === 403;
        if (isOver && read()?.refreshToken === refreshToken) forget();
        // The token may be good for a while yet.
        if (!isOver && saved.accessToken !== spent) return saved.accessToken;
        throw problem;
      }
    });

  let renewing: Promise<string> | undefined;
  const onStorage = (event: StorageEvent) => {
    if (event.key === key || event.key === null) showUser(read()?.user);
  };

  return {
    user,
    async get(spent) {
      const saved = read();
      // A page that slept has not been told of what other tabs did.
      showUser(saved?.user);
      if (saved && isUsable(saved, spent)) return saved.accessToken;
      return (renewing ??= renew(spent).finally(() => (renewing = undefined)));
    },
    logIn: async (credentials) =>
      lock(key, async () => keep(await patiently(() => open('/v1/auth/login', credentials))).user),
    async logOut() {
      const saved = read();
      // First of all, because the page may be closed before the server is reached.
      forget();
      if (!saved) return;
      const { accessToken, refreshToken } = saved;
      const end = (token: string) =>
        post('/v1/auth/logout', { headers: { authorization: `Bearer ${token}` } });
      await end(accessToken)
        .catch(async (error: unknown) => {
          if (asProblem(error).status === 401)
            await end((await open('/v1/auth/refresh', { refreshToken })).accessToken);
        })
        .catch(() => undefined);
    },
    watch() {
      if (isPage()) globalThis.addEventListener('storage', onStorage);
      return () => {
        if (isPage()) globalThis.removeEventListener('storage', onStorage);
      };
    },
  };
}

/** Returns where a session is kept unless the caller says otherwise. */
export function usualStorage(): SessionStorage {
  try {
    return isPage() ? ((globalThis.localStorage as Storage | null) ?? memoryStorage()) : memoryStorage();
  } catch {
    return memoryStorage();
  }
}
