import { type OutgoingHttpHeaders, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ZodError } from 'zod';
import { RateLimited } from '../../protocol/rate-limits.ts';
import { type Problem, ProblemError, badRequest, problem, toProblem } from '../../protocol/problem.ts';
import { sendQuota } from './rate-limit-fields.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Errors of the route are those of OAuth (RFC 6749 §5.2), with the fields of a problem beside them. */
    answersOAuth?: boolean;
  }
}

export const PROBLEM_TYPE = 'application/problem+json';
export const JSON_TYPE = 'application/json';

/** Answers every error, and every unknown path, with a problem. `refused` is called with each code. */
export function answerWithProblems(app: FastifyInstance, refused: (code: string) => void): void {
  app.setErrorHandler((error: FastifyError, request, reply) => sendProblem(error, request, reply, refused));
  app.setNotFoundHandler((request, reply) =>
    sendProblem(new ProblemError(problem('NOT_FOUND')), request, reply, refused),
  );
}

/**
 * Sends the problem of an error. The server's own faults are logged with their cause, which the client never
 * sees.
 */
export function sendProblem(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  refused: (code: string) => void,
): FastifyReply {
  // As bytes: Fastify adds a charset to text, which this type does not define (RFC 9457 §3).
  return reply.send(problemOf(error, request, reply, refused));
}

/** Answers in place of a handler that is still running. Later output of the handler is dropped. */
export function answerLate(
  request: FastifyRequest,
  reply: FastifyReply,
  refused: (code: string) => void,
): void {
  const late = new ProblemError(problem('UNAVAILABLE', { retryAfterSeconds: 1 }));
  const body = problemOf(late, request, reply, refused);
  reply.hijack();
  const fields = { ...reply.getHeaders(), 'content-length': body.length } as OutgoingHttpHeaders;
  reply.raw.writeHead(reply.statusCode, fields).end(body);
}

/** Returns the body of the problem, and sets its status and fields on the reply. */
function problemOf(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  refused: (code: string) => void,
): Buffer {
  const { retryAfterSeconds, ...body } = {
    ...fromHttp(error, request),
    instance: request.url.split('?', 1)[0]!,
  };
  const { code, detail } = body;
  if (code === 'NOT_CAUGHT_UP')
    request.log.warn({ code, detail }, 'a read model has not caught up in time; answering 503');
  else if (body.status >= 500)
    request.log.error({ err: error, code }, `request failed; answering ${body.status}`);
  refused(body.code);
  if (error instanceof RateLimited) sendQuota(reply, error.quota);
  const challenge = challengeOf(body);
  if (challenge !== undefined) void reply.header('WWW-Authenticate', challenge);
  if (retryAfterSeconds !== undefined) void reply.header('Retry-After', retryAfterSeconds);
  const isOAuth = request.routeOptions.config.answersOAuth ?? false;
  void reply
    .code(body.status)
    .type(isOAuth ? JSON_TYPE : PROBLEM_TYPE)
    .header('Cache-Control', 'no-store');
  return Buffer.from(JSON.stringify(isOAuth ? { ...oauthErrorOf(body), ...body } : body));
}

/** Only a client that presented a token is told that it is not valid (RFC 6750 §3.1). */
function challengeOf({ code, status, title, detail }: Problem): string | undefined {
  if (code === 'INVALID_CLIENT') return 'Basic realm="oauth"';
  if (code === 'SCOPE_MISSING') return `Bearer error="insufficient_scope", error_description="${detail}"`;
  if (status !== 401) return undefined;
  return /^TOKEN_(?:INVALID|EXPIRED|REVOKED)$/.test(code)
    ? `Bearer error="invalid_token", error_description="${title}"`
    : 'Bearer';
}

/** The problems that have a name in OAuth (RFC 6749 §5.2, RFC 8693 §2.2.2). */
const OAUTH_ERRORS: ReadonlySet<string> = new Set([
  ...['INVALID_CLIENT', 'UNAUTHORIZED_CLIENT', 'UNSUPPORTED_GRANT_TYPE', 'INVALID_SCOPE', 'INVALID_TARGET'],
]);

function oauthErrorOf({ code, status, detail, errors = [] }: Problem) {
  const later = status >= 500 || status === 429 ? 'temporarily_unavailable' : 'invalid_request';
  const [fault] = errors;
  const reason = fault ? `${fault.pointer.slice(1)}: ${fault.message}` : detail;
  return {
    error: OAUTH_ERRORS.has(code) ? code.toLowerCase() : later,
    // The characters that RFC 6749 §5.2 allows.
    error_description: reason.replaceAll(/["\\]|[^ -~]/g, "'"),
  };
}

/** Maps the errors of Fastify and Node first, then those of the application. */
function fromHttp(error: unknown, { routeOptions }: FastifyRequest): Problem {
  const { code = '', statusCode = 500, validationContext } = error as Partial<FastifyError>;
  if (error instanceof ZodError && validationContext) return badRequest(error.issues, validationContext);
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return problem('PAYLOAD_TOO_LARGE');
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return problem('UNSUPPORTED_MEDIA_TYPE', typesOf(routeOptions.schema?.consumes));
    case 'ERR_INVALID_URL':
      return problem('BAD_REQUEST');
    default:
      return code.startsWith('FST_ERR_') && statusCode < 500 ? problem('BAD_REQUEST') : toProblem(error);
  }
}

/** Names the types of bodies where they are not those of all routes. */
const typesOf = (consumes: readonly string[] = []) =>
  consumes.length > 0 ? { detail: `Only ${consumes.join(' or ')} is understood` } : {};

/** Answers input that Node could not parse as HTTP. There is no request object, so the answer is written by hand. */
export function answerUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const timedOut = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
  const status = timedOut ? 408 : error.code === 'HPE_HEADER_OVERFLOW' ? 431 : 400;
  const { type, code, retryable } = problem('BAD_REQUEST');
  const title = STATUS_CODES[status]!;
  const body = JSON.stringify({ type, title, status, detail: title, code, retryable });
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\nContent-Type: ${PROBLEM_TYPE}\r\nContent-Length: ${body.length}\r\n` +
      `Cache-Control: no-store\r\nConnection: close\r\n\r\n${body}`,
  );
}

/** Answers 503 while the server stops, which sends clients elsewhere. */
export function refuseWhenClosing(app: FastifyInstance): void {
  let isClosing = false;
  app.addHook('preClose', async () => {
    isClosing = true;
  });
  app.addHook('onRequest', async () => {
    if (isClosing) throw new ProblemError(problem('UNAVAILABLE', { retryAfterSeconds: 1 }));
  });
}
