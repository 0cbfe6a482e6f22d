import type { Logger } from 'pino';
import { type RedisLink, inTime, usable } from './link.ts';

/** So many channels are named in one command. */
const CHANNELS_AT_ONCE = 500;
/** There may be many of them, and nobody waits for long. */
const HEAR_DEADLINE_MS = 2_000;
const RETRY_MS = 1_000;
/** Whoever floods our channels with what we do not understand does not flood the log. */
const COMPLAINT_MS = 10_000;

/** Redis' sharded publish and subscribe. It keeps nothing: what is said while somebody is away, that one never hears. */
export interface RedisChannels {
  /**
   * Resolves once Redis has taken it over. Rejects when it has not, or nobody can tell: at once while Redis is known to be
   * out of reach, and within 5 s otherwise.
   */
  publish(channel: string, message: string | Buffer): Promise<void>;
  /** Calls back with each message of a channel, once `heard` resolves; one listener a channel, which may throw. */
  hear(channel: string, listener: (message: Buffer) => void): void;
  unhear(channel: string): void;
  /** Resolves once every channel that is wanted now is heard; while Redis is out of reach, at once. Never rejects. */
  heard(): Promise<void>;
  /** Calls back when all channels are heard again after an outage: anything may have been missed. */
  onReturn(listener: () => void): void;
  /** Why something is not published or not heard now; undefined while all is well. */
  failure(): string | undefined;
}

/** Publishes on one link and hears on the other, which must be used for nothing else. */
export function createRedisChannels({
  publishing,
  hearing,
  log,
}: {
  publishing: RedisLink;
  hearing: RedisLink;
  log: Logger;
}): RedisChannels {
  const wanted = new Map<string, (message: Buffer) => void>();
  /** Channels of which Redis may think otherwise than we do. */
  let unsettled = new Set<string>();
  let refusal: string | undefined;
  let isReturning = false;
  const listeners: (() => void)[] = [];

  let complainedAt = -Infinity;
  // The client throws what a listener throws as an uncaught exception.
  hearing.client.on('smessageBuffer', (channel: Buffer, message: Buffer) => {
    try {
      wanted.get(channel.toString())?.(message);
    } catch (err) {
      if (performance.now() - complainedAt < COMPLAINT_MS) return;
      complainedAt = performance.now();
      log.warn({ err, channel: channel.toString() }, 'dropped a malformed message from another node');
    }
  });

  async function settle(): Promise<void> {
    const channels = [...unsettled];
    unsettled = new Set();
    const asked: Promise<unknown>[] = [];
    for (const [isWanted, verb] of [
      [true, 'ssubscribe'],
      [false, 'sunsubscribe'],
    ] as const) {
      const some = channels.filter((channel) => wanted.has(channel) === isWanted);
      for (let from = 0; from < some.length; from += CHANNELS_AT_ONCE)
        asked.push(
          inTime(hearing.client[verb](...some.slice(from, from + CHANNELS_AT_ONCE)), HEAR_DEADLINE_MS),
        );
    }
    const refused = (await Promise.allSettled(asked)).find((result) => result.status === 'rejected');
    refusal = refused && (refused.reason as Error).message;
    if (refused) {
      for (const channel of channels) unsettled.add(channel);
      if (hearing.failure() === undefined) setTimeout(() => void reconcile(), RETRY_MS).unref();
    } else if (isReturning) {
      isReturning = false;
      for (const listener of listeners) listener();
    }
  }

  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  /** One round at a time; whoever asks during a round waits for the next one, which covers all that changed till then. */
  function reconcile(): Promise<void> {
    next ??= (async () => {
      await running;
      running = next;
      next = undefined;
      await settle();
      running = undefined;
    })();
    return next;
  }

  function change(channel: string): void {
    unsettled.add(channel);
    if (hearing.failure() === undefined) void reconcile();
  }

  function returned(): void {
    if (hearing.failure() !== undefined || publishing.failure() !== undefined) return;
    isReturning = true;
    for (const channel of wanted.keys()) unsettled.add(channel);
    void reconcile();
  }
  hearing.onReturn(returned);
  publishing.onReturn(returned);

  return {
    async publish(channel, message) {
      await usable(publishing).spublish(channel, message);
    },
    hear(channel, listener) {
      wanted.set(channel, listener);
      change(channel);
    },
    unhear(channel) {
      wanted.delete(channel);
      change(channel);
    },
    async heard() {
      if (hearing.failure() === undefined && (unsettled.size > 0 || running)) await reconcile();
    },
    onReturn: (listener) => void listeners.push(listener),
    failure: () => hearing.failure() ?? publishing.failure() ?? refusal,
  };
}
