import type { components } from './protocol.ts';

type Body = components['schemas']['Problem'];

/**
 * What the server refuses with; `NO_ANSWER`, after which it is not known whether the call took effect; and `CANCELLED`, by
 * the caller.
 */
export type ProblemCode = Body['code'] | 'NO_ANSWER' | 'CANCELLED';

/** A refusal. Decide by `code`; `message` is for people. */
export class ChatProblem extends Error {
  override readonly name = 'ChatProblem';
  readonly code: ProblemCode;
  /** The HTTP status, also over the socket; 0 when there was no answer. */
  readonly status: number;
  /** Whether the same call may succeed later. It is safe to repeat it. */
  readonly retryable: boolean;
  /** Time to wait before that; undefined when the server does not say. */
  readonly retryAfterMs: number | undefined;
  /** What is wrong with the input, by JSON pointers. */
  readonly errors: readonly { pointer: string; message: string }[];

  constructor({
    code,
    status,
    retryable,
    retryAfterMs,
    errors,
    detail,
  }: Omit<Partial<Body>, 'code'> & { code: ProblemCode }) {
    super(detail === undefined ? code : `${code}: ${detail}`);
    this.code = code;
    this.status = status ?? 0;
    this.retryable = retryable ?? false;
    this.retryAfterMs = retryAfterMs;
    this.errors = errors ?? [];
  }
}

export const noAnswer = (detail: string): ChatProblem =>
  new ChatProblem({ code: 'NO_ANSWER', retryable: true, detail });

/** Resolves with the problem that an answer of REST carries, whoever gave the answer. */
export async function problemOf(response: Response): Promise<ChatProblem> {
  const { status } = response;
  const text = await response.text().catch(() => '');
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  const waiting = Number.isFinite(seconds) ? { retryAfterMs: seconds * 1_000 } : {};
  try {
    const body = JSON.parse(text) as Body;
    if (typeof body.code === 'string') return new ChatProblem({ ...waiting, ...body, status });
  } catch {
    // A proxy in between has answered.
  }
  const retryable = status === 429 || status >= 500;
  return new ChatProblem({ code: 'NO_ANSWER', ...waiting, status, retryable, detail: text.slice(0, 200) });
}

/** Returns the refusal, if the error is one: a failure to reach the server has no other meaning than "no answer". */
export const asProblem = (error: unknown): ChatProblem =>
  error instanceof ChatProblem ? error : noAnswer(error instanceof Error ? error.message : String(error));
