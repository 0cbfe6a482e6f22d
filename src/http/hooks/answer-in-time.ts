import type { FastifyInstance } from 'fastify';
import { answerLate } from './answer-with-problems.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Time limit of the answer once the request has arrived, in milliseconds. Default 4,000. */
    answerMs?: number;
  }
}

/** docs/promises.md no. 7 promises an answer within 5 s. The rest is for the network and a busy process. */
const ANSWER_MS = 4_000;
/** Time to wait for the rest of a body. */
const BODY_MS = 5_000;

/**
 * Answers 503 when a handler is not done in time. The handler continues, and its answer is dropped. Fastify's
 * own `handlerTimeout` stops counting once a body has been read. Time in which a body is still arriving does
 * not count.
 */
export function answerInTime(app: FastifyInstance, refused: (code: string) => void): void {
  const timers = new WeakMap<object, NodeJS.Timeout>();
  app.addHook('onRequest', (request, reply, done) => {
    const { raw, routeOptions } = request;
    const began = performance.now();
    const answerMs = routeOptions.config.answerMs ?? ANSWER_MS;
    // The server cuts connections that are silent for as long as some answers take. The next request sets it anew.
    // Where a body is still to come, a silent client is cut as ever.
    if (raw.method === 'GET' && answerMs > ANSWER_MS) raw.socket.setTimeout(answerMs + BODY_MS);
    const timer = setTimeout(() => {
      if (!raw.complete && performance.now() - began < BODY_MS) timer.refresh();
      else answerLate(request, reply, refused);
    }, answerMs);
    timers.set(raw, timer);
    raw.once('end', () => timer.refresh());
    reply.raw.once('close', () => clearTimeout(timer));
    done();
  });
  // From here on the answer is being sent.
  app.addHook('onSend', (request, _reply, payload, done) => {
    clearTimeout(timers.get(request.raw));
    done(null, payload);
  });
}
