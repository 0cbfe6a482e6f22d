import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Revocations } from './session.ts';

const POLL_MS = 2_000;
/** A revocation that was stamped before a poll may commit after it: each poll looks back this far. */
const OVERLAP_SECONDS = 60;
/** Without news for so long, this node may let in whom others have shut out. */
const STALE_MS = 30_000;

/** The port to the sessions that ended, on whatever node. */
export interface RevokedSessions {
  /** Those that ended in the last `seconds`. */
  endedWithin(seconds: number): Promise<string[]>;
  /** Calls back as sessions end. A hint: it may miss some. Reconnects by itself until the signal aborts. */
  listen(onEnded: (sessionId: string) => void, signal: AbortSignal): void;
}

export interface RunningRevocations extends Revocations {
  /** Takes effect here at once; the others hear of it from the store. */
  revoke(sessionId: string): void;
  /** False when the store has been out of reach for 30 s. Nobody is refused for it. */
  isHealthy(): boolean;
  stop(): Promise<void>;
}

/** Starts following the sessions that end; resolves once those of the recent past are known. */
export async function createRevocations({
  sessions,
  accessTokenSeconds,
  log,
  pollMs = POLL_MS,
}: {
  sessions: RevokedSessions;
  accessTokenSeconds: number;
  log: Logger;
  pollMs?: number;
}): Promise<RunningRevocations> {
  /** When each ended session can be forgotten, because its last access token has expired. */
  const ended = new Map<string, number>();
  const memorySeconds = accessTokenSeconds + OVERLAP_SECONDS;
  const listeners: ((sessionId: string) => void)[] = [];
  const stopping = new AbortController();
  let freshAt = 0;

  function revoke(sessionId: string): void {
    if (ended.has(sessionId)) return;
    ended.set(sessionId, Date.now() + memorySeconds * 1000);
    for (const listener of listeners) listener(sessionId);
  }

  async function poll(): Promise<void> {
    const startedAt = Date.now();
    const missedSeconds = (startedAt - freshAt) / 1000 + OVERLAP_SECONDS;
    for (const sessionId of await sessions.endedWithin(Math.min(missedSeconds, memorySeconds)))
      revoke(sessionId);
    freshAt = startedAt;
    // A map keeps the order of insertion, and all entries live equally long: the first to stay ends the search.
    for (const [sessionId, forgetAt] of ended) {
      if (forgetAt > startedAt) break;
      ended.delete(sessionId);
    }
  }

  async function follow(): Promise<void> {
    for (;;) {
      await pause(pollMs, undefined, { signal: stopping.signal }).catch(() => {});
      if (stopping.signal.aborted) return;
      await poll().catch((error: unknown) => log.warn({ err: error }, 'ended sessions could not be read'));
    }
  }

  await poll();
  sessions.listen(revoke, stopping.signal);
  const following = follow();

  return {
    isRevoked: (sessionId) => ended.has(sessionId),
    onRevoked: (listener) => void listeners.push(listener),
    revoke,
    isHealthy: () => Date.now() - freshAt < STALE_MS,
    async stop() {
      stopping.abort();
      await following;
    },
  };
}
