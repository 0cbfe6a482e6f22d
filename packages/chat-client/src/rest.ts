import createClient, { type Client } from 'openapi-fetch';
import type { paths } from './protocol.ts';
import { type ChatProblem, asProblem, noAnswer, problemOf } from './problem.ts';
import type { Tokens } from './session.ts';
import { backOff, pause } from './waiting.ts';

/** Every call of REST, typed: `rest.GET('/v1/groups', { params: { query: { limit: 10 } } })`. It throws `ChatProblem`. */
export type Rest = Client<paths>;

export interface RestOptions {
  url: string;
  tokens: Tokens;
  request: typeof fetch;
  /** With the token of a service client: the user for whom it acts. */
  actAs?: string | undefined;
  /** How long an answer may take. */
  answerMs?: number;
}

/** The server answers within 5 s, a login within 10 s. */
const USUAL_ANSWER_MS = 12_000;
/** How much longer a look into the past may take, which reads from the log: a minute. */
const LOOK_BACK_TIMES = 6;
const TRIES = 4;
/** Nobody waits longer than this for a call to be repeated; the caller decides then. */
const LONGEST_WAIT_MS = 5_000;

/** The last position that this client has written: what it reads must not be older. */
export interface OwnWrites {
  learn: (position: unknown) => void;
  readonly position: string | undefined;
}

export function ownWrites(): OwnWrites & { forget: () => void } {
  let last: string | undefined;
  return {
    learn(position) {
      if (typeof position === 'string') last = position;
    },
    forget() {
      last = undefined;
    },
    get position() {
      return last;
    },
  };
}

/**
 * Creates the REST calls. Each carries a token, is repeated while waiting may help, and reads what this client wrote.
 * A repeated command has one `Idempotency-Key`, so it takes effect once.
 */
export function createRest(
  { url, tokens, request, actAs, answerMs = USUAL_ANSWER_MS }: RestOptions,
  writes: ReturnType<typeof ownWrites>,
): Rest {
  async function once(
    asked: Request,
    spent: string | undefined,
  ): Promise<{ response: Response; token?: string }> {
    const token = await tokens.get(spent).catch(unlessNobody);
    const headers = new Headers(asked.headers);
    if (token !== undefined) headers.set('authorization', `Bearer ${token}`);
    if (actAs !== undefined) headers.set('x-act-as', actAs);
    if (asked.method === 'GET' && writes.position !== undefined)
      headers.set('x-min-position', writes.position);
    const late = new AbortController();
    const patienceMs = looksBack(asked) ? answerMs * LOOK_BACK_TIMES : answerMs;
    const timer = setTimeout(() => late.abort(noAnswer('No answer in time')), patienceMs);
    const ends = AbortSignal.any([asked.signal, late.signal]);
    try {
      const answer = await request(new Request(asked.clone(), { headers, signal: ends }));
      // An export, or a file, may take as long as it needs.
      const response = isJson(answer) ? new Response(await answer.arrayBuffer(), answer) : answer;
      return { response, ...(token !== undefined && { token }) };
    } finally {
      clearTimeout(timer);
    }
  }

  async function patiently(asked: Request): Promise<Response> {
    if (asked.method === 'POST' && !asked.headers.has('idempotency-key'))
      asked.headers.set('idempotency-key', crypto.randomUUID());
    let spent: string | undefined;
    for (let tries = 0; ; tries += 1) {
      const { response, token } = await once(asked, spent).catch((error: unknown) => {
        if (asked.signal.aborted) throw error;
        return { response: asProblem(error), token: undefined };
      });
      if (response instanceof Response && response.ok) return response;
      const problem = response instanceof Response ? await problemOf(response) : response;
      if (tries + 1 >= TRIES || !mayHelp(problem, token, spent)) throw problem;
      if (problem.code === 'POSITION_UNKNOWN') writes.forget();
      else if (problem.status === 401) spent = token;
      else await pause(Math.min(problem.retryAfterMs ?? backOff(tries), LONGEST_WAIT_MS), asked.signal);
    }
  }

  /** Whether the same call may do better: later, with another token, or without the position. */
  function mayHelp(problem: ChatProblem, token: string | undefined, spent: string | undefined): boolean {
    if (problem.code === 'POSITION_UNKNOWN') return writes.position !== undefined;
    // Also one that was revoked: whoever gives tokens learns that the session has ended.
    if (problem.status === 401) return token !== undefined && spent === undefined;
    return problem.retryable && (problem.retryAfterMs ?? 0) <= LONGEST_WAIT_MS;
  }

  const rest = createClient<paths>({
    baseUrl: url,
    fetch: patiently,
    querySerializer: { array: { style: 'form', explode: false } },
  });
  rest.use({
    async onResponse({ request: { method }, response }) {
      if (method === 'GET' || !isJson(response)) return;
      const answer = (await response.clone().json()) as { position?: unknown } | null;
      writes.learn(answer?.position);
    },
  });
  return rest;
}

const looksBack = ({ url: asked }: Request): boolean => new URL(asked).pathname.startsWith('/v1/audit/');

/** Lines of JSON are another type. */
const isJson = ({ headers }: Response) =>
  /^application\/(?:problem\+)?json\b/.test(headers.get('content-type') ?? '');

/** Some calls need no token, such as a registration. */
function unlessNobody(error: unknown): undefined {
  if (asProblem(error).code !== 'TOKEN_MISSING') throw error;
}

/** Resolves with the data of an answer. A refusal has been thrown before. */
export async function dataOf<T>(answer: Promise<{ data?: T; response: Response }>): Promise<T> {
  const { data } = await answer;
  if (data === undefined) throw noAnswer('The answer was empty');
  return data;
}
