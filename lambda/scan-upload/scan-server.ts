import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { z } from 'zod';
import {
  ScanOrder,
  type ScanOrderRequest,
  type ScanReport,
  signReport,
} from '../../src/files/inspect/scan-report.ts';

/** The server to report to. */
export interface ScanServer {
  /**
   * Returns what was declared of the object; undefined when there is nothing to scan, or nothing any more.
   */
  order(request: ScanOrderRequest): Promise<ScanOrder | undefined>;
  /** Reports the finding. Resolves once the server has acted on it. */
  report(report: ScanReport): Promise<void>;
}

const ATTEMPTS = 5;
const FIRST_PAUSE_MS = 500;
/** Longer than the server takes to settle a file. */
const ANSWER_MS = 65_000;
/** The server does not know the object, or has other bytes: a retry would not help. */
const NOTHING_TO_DO = new Set(['FILE_NOT_FOUND', 'FILE_NOT_UPLOADED']);

const Problem = z.object({ code: z.string() });

/**
 * Calls the server over HTTP, each time with a new signature. Temporary failures (5xx, 408, 429, no answer)
 * are retried up to five tries within ten seconds; everything else, such as a wrong secret, rejects at once.
 */
export function createScanServer({
  url,
  secret,
  log,
  firstPauseMs = FIRST_PAUSE_MS,
}: {
  url: string;
  secret: string;
  log: Logger;
  firstPauseMs?: number;
}): ScanServer {
  async function post(path: string, body: string): Promise<Response> {
    const signature = signReport(secret, body, {
      timestamp: Math.floor(Date.now() / 1_000),
      nonce: randomBytes(16).toString('base64url'),
    });
    return fetch(new URL(path, url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...signature },
      body,
      redirect: 'error',
      signal: AbortSignal.timeout(ANSWER_MS),
    });
  }

  /** Returns the body of a 200, or undefined. */
  async function ask(path: string, content: ScanOrderRequest | ScanReport): Promise<unknown> {
    const body = JSON.stringify(content);
    for (let attempt = 0; ; attempt += 1) {
      const answer = await post(path, body).catch((error: unknown) => {
        log.warn({ err: error, path }, 'the server does not answer');
        return undefined;
      });
      const passes = !answer || answer.status >= 500 || answer.status === 429 || answer.status === 408;
      if (!passes) return read(path, answer);
      await answer?.body?.cancel();
      if (attempt + 1 === ATTEMPTS)
        throw new Error(`${path}: the server answers ${answer?.status ?? 'nothing'}`);
      await pause(firstPauseMs * 2 ** attempt);
    }
  }

  async function read(path: string, answer: Response): Promise<unknown> {
    if (answer.status === 204) return undefined;
    const content: unknown = await answer.json().catch(() => undefined);
    if (answer.status === 200) return content;
    const code = Problem.safeParse(content).data?.code;
    if (code === undefined || !NOTHING_TO_DO.has(code))
      throw new Error(`${path}: the server answers ${answer.status} ${code ?? ''}`);
    log.warn({ path, code }, 'the server does not know this upload');
    return undefined;
  }

  return {
    async order(request) {
      const content = await ask('/internal/scan-orders', request);
      return content === undefined ? undefined : ScanOrder.parse(content);
    },
    async report(report) {
      await ask('/internal/scan-reports', report);
    },
  };
}
