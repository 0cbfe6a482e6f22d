import type { Logger } from 'pino';
import { type RedisLink, inTime, usable } from './link.ts';

/** Number of channels named in one command. */
const CHANNELS_AT_ONCE = 500;
/** There may be many channels, and callers wait only briefly. */
const SUBSCRIBE_DEADLINE_MS = 2_000;
const RETRY_MS = 1_000;
/** Logs malformed messages at most once every 10 s. */
const COMPLAINT_MS = 10_000;

/** Redis' sharded publish and subscribe. It stores nothing: a subscriber misses all messages while it is away. */
export interface RedisChannels {
  /**
   * Resolves once Redis has taken the message. Rejects when it has not, or when that is unknown: at once
   * while Redis is known to be out of reach, and within 5 s otherwise.
   */
  publish(channel: string, message: string | Buffer): Promise<void>;
  /**
   * Calls back with each message of a channel, once `subscribed` resolves. Each channel has one listener, which
   * may throw.
   */
  subscribe(channel: string, listener: (message: Buffer) => void): void;
  unsubscribe(channel: string): void;
  /** Resolves once every wanted channel is subscribed; at once while Redis is out of reach. Never rejects. */
  subscribed(): Promise<void>;
  /** Calls back when all channels are subscribed again after an outage. Anything may have been missed. */
  onReturn(listener: () => void): void;
  /** Returns the reason why publishing or listening does not work now; undefined while both work. */
  failure(): string | undefined;
}

/** Creates channels that publish on one link and subscribe on the other, which must be used for nothing else. */
export function createRedisChannels({
  publishing,
  subscribing,
  log,
}: {
  publishing: RedisLink;
  subscribing: RedisLink;
  log: Logger;
}): RedisChannels {
  const wanted = new Map<string, (message: Buffer) => void>();
  /** Channels whose state in Redis may differ from `wanted`. */
  let unsettled = new Set<string>();
  let refusal: string | undefined;
  let isReturning = false;
  const listeners: (() => void)[] = [];

  let complainedAt = -Infinity;
  // The client turns what a listener throws into an uncaught exception.
  subscribing.client.on('smessageBuffer', (channel: Buffer, message: Buffer) => {
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
          inTime(
            subscribing.client[verb](...some.slice(from, from + CHANNELS_AT_ONCE)),
            SUBSCRIBE_DEADLINE_MS,
          ),
        );
    }
    const refused = (await Promise.allSettled(asked)).find((result) => result.status === 'rejected');
    refusal = refused && (refused.reason as Error).message;
    if (refused) {
      for (const channel of channels) unsettled.add(channel);
      if (subscribing.failure() === undefined) setTimeout(() => void reconcile(), RETRY_MS).unref();
    } else if (isReturning) {
      isReturning = false;
      for (const listener of listeners) listener();
    }
  }

  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  /** Runs one round at a time. Callers during a round wait for the next one, which covers all changes until then. */
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
    if (subscribing.failure() === undefined) void reconcile();
  }

  function returned(): void {
    if (subscribing.failure() !== undefined || publishing.failure() !== undefined) return;
    isReturning = true;
    for (const channel of wanted.keys()) unsettled.add(channel);
    void reconcile();
  }
  subscribing.onReturn(returned);
  publishing.onReturn(returned);

  return {
    async publish(channel, message) {
      await usable(publishing).spublish(channel, message);
    },
    subscribe(channel, listener) {
      wanted.set(channel, listener);
      change(channel);
    },
    unsubscribe(channel) {
      wanted.delete(channel);
      change(channel);
    },
    async subscribed() {
      if (subscribing.failure() === undefined && (unsettled.size > 0 || running)) await reconcile();
    },
    onReturn: (listener) => void listeners.push(listener),
    failure: () => subscribing.failure() ?? publishing.failure() ?? refusal,
  };
}
