import { type OutgoingHttpHeaders, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ZodError } from 'zod';
import { RateLimited } from '../../protocol/rate-limits.ts';
import { type Problem, ProblemError, badRequest, problem, toProblem } from '../../protocol/problem.ts';
import { sendQuota } from './rate-limit-fields.ts';

export const PROBLEM_TYPE = 'application/problem+json';

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
  const { retryAfterSeconds, ...body } = { ...fromHttp(error), instance: request.url.split('?', 1)[0]! };
  const { code, detail } = body;
  if (code === 'NOT_CAUGHT_UP')
    request.log.warn({ code, detail }, 'a read model has not caught up in time; answering 503');
  else if (body.status >= 500)
    request.log.error({ err: error, code }, `request failed; answering ${body.status}`);
  refused(body.code);
  if (error instanceof RateLimited) sendQuota(reply, error.quota);
  if (body.status === 401) void reply.header('WWW-Authenticate', challengeOf(body));
  if (retryAfterSeconds !== undefined) void reply.header('Retry-After', retryAfterSeconds);
  void reply.code(body.status).type(PROBLEM_TYPE).header('Cache-Control', 'no-store');
  return Buffer.from(JSON.stringify(body));
}

/** Only a client that presented a token is told that it is not valid (RFC 6750 §3.1). */
const challengeOf = ({ code, title }: Problem): string =>
  /^TOKEN_(?:INVALID|EXPIRED|REVOKED)$/.test(code)
    ? `Bearer error="invalid_token", error_description="${title}"`
    : 'Bearer';

/** Maps the errors of Fastify and Node first, then those of the application. */
function fromHttp(error: unknown): Problem {
  const { code = '', statusCode = 500, validationContext } = error as Partial<FastifyError>;
  if (error instanceof ZodError && validationContext) return badRequest(error.issues, validationContext);
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return problem('PAYLOAD_TOO_LARGE');
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return problem('UNSUPPORTED_MEDIA_TYPE');
    case 'ERR_INVALID_URL':
      return problem('BAD_REQUEST');
    default:
      return code.startsWith('FST_ERR_') && statusCode < 500 ? problem('BAD_REQUEST') : toProblem(error);
  }
}

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
