import type { Logger } from 'pino';
import { sleep } from '../kit/back-off.ts';
import { MAX_STALE_MS } from './authenticate.ts';
import type { Revocations } from './session.ts';

const POLL_MS = 2_000;
/** A revocation stamped before a poll may commit after it, so each poll looks back this far. */
const OVERLAP_SECONDS = 60;

/** The port of the sessions that ended, on any node. */
export interface RevokedSessions {
  /**
   * Resolves with the sessions that ended in the last `seconds`. Rejects within a few seconds when they
   * cannot be read.
   */
  endedWithin(seconds: number): Promise<string[]>;
  /** Calls back as sessions end. A hint: it may miss some. Reconnects by itself until the signal aborts. */
  listen(onEnded: (sessionId: string) => void, signal: AbortSignal): void;
}

/** A second channel that tells nodes about ended sessions. It may lose any message, and never fails. */
export interface RevocationNews {
  announce(sessionId: string): void;
  /** Calls back with the sessions that other nodes announce, until the signal aborts. */
  listen(onEnded: (sessionId: string) => void, signal: AbortSignal): void;
}

export interface RunningRevocations extends Revocations {
  /** Takes effect on this node at once. The others learn of it from the store and through the news. */
  revoke(sessionId: string): void;
  /** Returns false when the store has been unreachable for 10 s. No token is accepted until it is back. */
  isHealthy(): boolean;
  stop(): Promise<void>;
}

/** Starts following the ended sessions. Resolves once those of the recent past are known. */
export async function createRevocations({
  sessions,
  news,
  accessTokenSeconds,
  log,
  pollMs = POLL_MS,
}: {
  sessions: RevokedSessions;
  news?: RevocationNews | undefined;
  accessTokenSeconds: number;
  log: Logger;
  pollMs?: number;
}): Promise<RunningRevocations> {
  /**
   * The times at which ended sessions can be forgotten, because their last access tokens have expired; ms
   * since 1970.
   */
  const ended = new Map<string, number>();
  const memorySeconds = accessTokenSeconds + OVERLAP_SECONDS;
  const listeners: ((sessionId: string) => void)[] = [];
  const stopping = new AbortController();
  let fresh = { date: 0, uptime: -Infinity };
  // The date may be set back, and the monotonic clock stops while a machine sleeps.
  const staleMs = () => Math.max(Date.now() - fresh.date, performance.now() - fresh.uptime);

  function ends(sessionId: string): void {
    if (ended.has(sessionId)) return;
    ended.set(sessionId, Date.now() + memorySeconds * 1000);
    for (const listener of listeners) listener(sessionId);
  }

  async function poll(): Promise<void> {
    const started = { date: Date.now(), uptime: performance.now() };
    const missedSeconds = staleMs() / 1000 + OVERLAP_SECONDS;
    for (const sessionId of await sessions.endedWithin(Math.min(missedSeconds, memorySeconds)))
      ends(sessionId);
    fresh = started;
    // A map keeps insertion order, and all entries live equally long, so the first that stays ends the
    // search.
    for (const [sessionId, forgetAt] of ended) {
      if (forgetAt > started.date) break;
      ended.delete(sessionId);
    }
  }

  async function follow(): Promise<void> {
    for (;;) {
      await sleep(pollMs, stopping.signal);
      if (stopping.signal.aborted) return;
      await poll().catch((error: unknown) =>
        log.warn({ err: error }, 'could not read the ended sessions; retrying'),
      );
    }
  }

  await poll();
  sessions.listen(ends, stopping.signal);
  news?.listen(ends, stopping.signal);
  const following = follow();

  return {
    isRevoked: (sessionId) => ended.has(sessionId),
    onRevoked: (listener) => void listeners.push(listener),
    revoke(sessionId) {
      ends(sessionId);
      news?.announce(sessionId);
    },
    staleMs,
    isHealthy: () => staleMs() <= MAX_STALE_MS,
    async stop() {
      stopping.abort();
      await following;
    },
  };
}
