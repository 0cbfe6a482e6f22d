import { createHmac } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { within } from '../../kit/deadline.ts';
import { ProblemError, badInput, problem } from '../../protocol/problem.ts';

/** One use of a key: the caller, the key, and a fingerprint of the request. */
export interface KeyedRequest {
  scope: string;
  key: string;
  fingerprint: string;
}
export type Claim =
  | { outcome: 'claimed' }
  /** The first request with this key has not been answered yet. */
  | { outcome: 'running' }
  /** The key belongs to a different request. */
  | { outcome: 'reused' }
  | { outcome: 'answered'; status: number; body: string };

/**
 * The port of the idempotency keys. An answer is kept for 24 h. A key whose request died without an answer is
 * free after 30 s.
 */
export interface IdempotencyKeys {
  claim(request: KeyedRequest): Promise<Claim>;
  /** Stores the answer to a claimed request. */
  keep(request: KeyedRequest, answer: { status: number; body: string }): Promise<void>;
  /** Frees a claimed key, as if it had never been used. */
  release(request: KeyedRequest): Promise<void>;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * Makes the route honour `Idempotency-Key`, under this name, which an alias shares. Its answers are
     * stored, so they must not contain a secret.
     */
    idempotentAs?: string;
  }
  interface FastifyRequest {
    keyed: KeyedRequest | undefined;
  }
}

const HEADER = 'idempotency-key';
/** A string of RFC 9651 in quotes, or the same characters without them, as most clients send it. */
const KEY = /^(?:"((?:[ !#-[\]-~]|\\["\\]){1,255})"|([!#-[\]-~](?:[ !#-[\]-~]{0,253}[!#-[\]-~])?))$/;
/** Longest time that an answer waits for its key to be settled. */
const SETTLE_MS = 250;

/**
 * Answers a repeated request with the first answer (draft-ietf-httpapi-idempotency-key-header-07). Answers
 * that a repetition may change, 429 and 5xx, are not stored. `secret` keeps the fingerprints of bodies from
 * being guessed.
 */
export function honourIdempotencyKeys(
  app: FastifyInstance,
  { keys, secret, log }: { keys: IdempotencyKeys; secret: string | Buffer; log: Logger },
): void {
  app.decorateRequest('keyed', undefined);

  app.addHook('preHandler', async (request, reply) => {
    const key = request.routeOptions.config.idempotentAs ? keyOf(request) : undefined;
    if (key === undefined) return undefined;
    const { session, client, ip } = request;
    const scope = session?.actor.userId ?? (client ? `client ${client.clientId}` : `anonymous ${ip}`);
    const keyed = { scope, key, fingerprint: fingerprint(request, secret) };
    const claim = await keys.claim(keyed);
    if (claim.outcome === 'claimed') request.keyed = keyed;
    return claim.outcome === 'claimed' ? undefined : answerAgain(reply, claim);
  });

  const notSettled = (error: unknown) =>
    log.warn({ err: error }, 'could not settle an idempotency key; its claim expires after 30 s');

  app.addHook('onSend', async (request, { statusCode }, payload) => {
    const { keyed } = request;
    if (!keyed) return;
    request.keyed = undefined;
    const isFinal = statusCode < 500 && statusCode !== 429;
    const settled = isFinal
      ? keys.keep(keyed, { status: statusCode, body: textOf(payload) })
      : keys.release(keyed);
    // The command is done, so its answer is sent anyway. A repetition finds the same outcome in the log.
    await within(settled.catch(notSettled), SETTLE_MS, () => undefined);
  });

  // A late answer, sent in place of a handler that is still running, does not pass through the hook above.
  app.addHook('onResponse', async ({ keyed }) => {
    if (keyed) void keys.release(keyed).catch(notSettled);
  });
}

/**
 * Returns the permanent name of the request's command, see `Request.key` of the command handler; empty
 * without a header.
 */
export const commandKey = ({ keyed }: FastifyRequest): { key?: string } =>
  keyed ? { key: `${keyed.key}:${keyed.fingerprint}` } : {};

function keyOf(request: FastifyRequest): string | undefined {
  const header = request.headers[HEADER];
  if (header === undefined) return undefined;
  const found = typeof header === 'string' ? KEY.exec(header) : null;
  if (!found)
    throw new ProblemError(
      badInput([{ path: [HEADER], message: 'Must be 1 to 255 ASCII characters' }], 'headers'),
    );
  return found[1]?.replaceAll(/\\(.)/g, '$1') ?? found[2]!;
}

/** Returns the same text for the same request, in any order of its fields, and for a route and its alias. */
function fingerprint({ routeOptions, params, body }: FastifyRequest, secret: string | Buffer): string {
  const asked = { ...(params as object), ...((body as object | undefined) ?? {}) };
  return createHmac('sha256', secret)
    .update(JSON.stringify([routeOptions.config.idempotentAs, sorted(asked)]))
    .digest('hex');
}

/** Returns an answer as text. JSON is sent as text, a problem as bytes. */
const textOf = (payload: unknown): string =>
  Buffer.isBuffer(payload) ? payload.toString() : typeof payload === 'string' ? payload : '';

const sorted = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(sorted)
    : typeof value === 'object' && value !== null
      ? Object.entries(value)
          .toSorted(([a], [b]) => (a < b ? -1 : 1))
          .map(([name, each]) => [name, sorted(each)])
      : value;

function answerAgain(reply: FastifyReply, claim: Exclude<Claim, { outcome: 'claimed' }>): FastifyReply {
  if (claim.outcome === 'running')
    throw new ProblemError(problem('IDEMPOTENCY_KEY_IN_USE', { retryAfterSeconds: 1 }));
  if (claim.outcome === 'reused') throw new ProblemError(problem('IDEMPOTENCY_KEY_REUSED'));
  const type = claim.status < 400 ? 'application/json; charset=utf-8' : 'application/problem+json';
  return reply
    .code(claim.status)
    .type(type)
    .header('Idempotency-Replayed', 'true')
    .send(Buffer.from(claim.body));
}
