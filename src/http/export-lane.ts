import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Authenticate } from '../auth/session.ts';
import { sleep } from '../kit/back-off.ts';
import { createSemaphore } from '../kit/semaphore.ts';
import { ProblemError, problem } from '../protocol/problem.ts';
import { bearerToken } from './hooks/authenticate-request.ts';
import type { HttpApp } from './route-deps.ts';

/** Exports that a lane runs at a time. Each reads as fast as its reader can. */
const EXPORTS = 2;
const RETRY_SECONDS = 10;
/** How often a running export checks that its reader may go on, in milliseconds. */
const CHECK_MS = 500;
/** Time in which an export can end by itself once it may not go on. */
const END_MS = 500;

/** An export that was let in. */
export interface Passage {
  /** Returns false once the server stops, or the access token, its session or `isStillOpen` has ended. */
  mayGoOn(): boolean;
  /** Sends the lines. If they go on although they may not, the connection is cut, so that nobody takes them for all. */
  send(lines: AsyncIterable<string>): void;
}

/** Lets an export in until its reply is closed. Throws TOO_MANY_EXPORTS. */
export type ExportLane = (
  request: FastifyRequest,
  reply: FastifyReply,
  isStillOpen?: () => Promise<boolean>,
) => Passage;

/** Creates a lane for exports: long answers in NDJSON. */
export function createExportLane(app: HttpApp, { authenticate }: { authenticate: Authenticate }): ExportLane {
  const exports = createSemaphore(EXPORTS);
  const closing = new AbortController();
  app.addHook('preClose', async () => closing.abort());

  return ({ headers }, reply, isStillOpen = async () => true) => {
    if (exports.isFull())
      throw new ProblemError(problem('TOO_MANY_EXPORTS', { retryAfterSeconds: RETRY_SECONDS }));
    const { raw } = reply;
    const token = bearerToken(headers.authorization);
    const gone = new AbortController();
    raw.once('close', () => gone.abort());
    let isOver = false;

    const isStillLoggedIn = () =>
      authenticate(token).then(
        () => true,
        () => false,
      );
    async function watch(): Promise<void> {
      const woken = AbortSignal.any([gone.signal, closing.signal]);
      do {
        await sleep(CHECK_MS, woken, { ref: false });
        if (gone.signal.aborted) return;
      } while (!closing.signal.aborted && (await isStillLoggedIn()) && (await isStillOpen()));
      isOver = true;
      await sleep(END_MS, gone.signal, { ref: false });
      raw.destroy();
    }
    void exports.run(watch);
    return {
      mayGoOn: () => !isOver,
      send(lines) {
        // A connection that is kept alive after a long answer would keep a server that stops.
        void reply.type('application/x-ndjson').header('Connection', 'close').send(Readable.from(lines));
      },
    };
  };
}
