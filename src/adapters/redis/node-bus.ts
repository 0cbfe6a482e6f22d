import { createShardedAdapter } from '@socket.io/redis-adapter';
import type { Namespace } from 'socket.io';
import type { NodeBus } from '../../realtime/cluster/node-bus.ts';
import { inTime } from './link.ts';
import type { RedisLinks } from './links.ts';
import { within } from '../../kit/deadline.ts';

/** The adapter names the room after it, and Redis' operator can limit our user to it. */
const CHANNEL_PREFIX = 'chat:push';
const HEARING_DEADLINE_MS = 1_000;
const TAKING_OVER_DEADLINE_MS = 2_000;
/** Of socket.io-adapter's `MessageType`. */
const BROADCAST = 3;
const SERVER_SIDE_EMIT = 9;
/** What Socket.IO itself tells the listeners of a namespace. */
const RESERVED: readonly unknown[] = ['connect', 'connection', 'new_namespace', 'error'];

/** What was emitted since somebody last asked whether it has been taken over. */
interface Emitted {
  inFlight: Set<Promise<void>>;
  lost: Error | undefined;
}

/**
 * Socket.IO's sharded adapter in its dynamic mode: a channel for each room, which a node hears while it has sockets in it.
 * Nodes tell each other what is emitted to rooms, as the text for clients, and by `serverSideEmit` without an answer;
 * whatever else comes over a channel is dropped, so that nobody in Redis can move sockets, close them or read who they are.
 */
export function createRedisNodeBus({
  redis: { channels },
}: {
  redis: Pick<RedisLinks, 'channels'>;
}): NodeBus & { close(): void } {
  const heard = new Set<string>();
  let emitted: Emitted = { inFlight: new Set(), lost: undefined };

  function publish(channel: string, message: string | Buffer): Promise<void> {
    const now = emitted;
    const published = channels.publish(channel, message);
    const settled = published
      .catch((error: Error) => void (now.lost = error))
      .finally(() => now.inFlight.delete(settled));
    now.inFlight.add(settled);
    return published;
  }

  /** The adapter of one namespace. It takes a client of the package `redis`, which names these three so. */
  function adapter(namespace: Namespace) {
    const client = {
      sPublish: publish,
      sSubscribe(channel: string) {
        heard.add(channel);
        channels.hear(channel, (raw) => {
          if (!raw.subarray(-ownEnd.length).equals(ownEnd)) hearing.onMessage(parse(raw));
        });
      },
      sUnsubscribe(channel: string) {
        heard.delete(channel);
        channels.unhear(channel);
      },
    };
    const options = { channelPrefix: CHANNEL_PREFIX, subscriptionMode: 'dynamic' } as const;
    const sharded = createShardedAdapter(client, client, options)(namespace);
    const hearing = sharded as unknown as Hearing;
    // It sees this before it makes objects of it: a node with sockets in a room hears all that it tells the room itself.
    const ownEnd = Buffer.from(`"uid":"${hearing.uid}","nsp":"${namespace.name}"}`);
    return sharded;
  }

  return {
    adapter: adapter as unknown as NodeBus['adapter'],
    hearing: () => within(channels.heard(), HEARING_DEADLINE_MS, () => undefined),
    async takenOver() {
      const { inFlight } = emitted;
      const asked = emitted;
      emitted = { inFlight: new Set(), lost: undefined };
      await inTime(Promise.all(inFlight), TAKING_OVER_DEADLINE_MS);
      if (asked.lost) throw asked.lost;
    },
    onReturn: (listener) => channels.onReturn(listener),
    failure: () => channels.failure(),
    close() {
      for (const channel of heard) channels.unhear(channel);
      heard.clear();
    },
  };
}

/** The part of the adapter that is protected. */
interface Hearing {
  onMessage(message: object): void;
  readonly uid: string;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const areTexts = (values: unknown) =>
  Array.isArray(values) && values.every((value) => typeof value === 'string');
const isEvent = (values: unknown): values is [string, ...unknown[]] =>
  Array.isArray(values) && typeof values[0] === 'string';

/** Beginning and end of a name with one object, as JSON. Only we write in between, and parsing it all again would cost. */
const isEventText = (text: unknown) =>
  typeof text === 'string' && /^\["[A-Za-z]+",\{/.test(text) && text.endsWith('}]');

const isBroadcast = (packet: unknown, opts: unknown) =>
  isObject(packet) &&
  isEventText(packet['text']) &&
  isObject(opts) &&
  areTexts(opts['rooms']) &&
  areTexts(opts['except']) &&
  (opts['flags'] === undefined || isObject(opts['flags']));

/** A message of the two kinds that there are. Throws on anything else, without repeating any of it. */
function parse(raw: Buffer): object {
  const message = json(raw);
  if (isObject(message) && typeof message['uid'] === 'string' && isObject(message['data'])) {
    const { packet, opts, requestId } = message['data'];
    // With an id it would ask for an answer.
    if (requestId === undefined) {
      if (message['type'] === BROADCAST && isBroadcast(packet, opts)) return message;
      if (message['type'] === SERVER_SIDE_EMIT && isEvent(packet) && !RESERVED.includes(packet[0]))
        return message;
    }
  }
  throw new Error('neither a broadcast nor an event between servers');
}

function json(raw: Buffer): unknown {
  try {
    return JSON.parse(raw.toString());
  } catch {
    return undefined;
  }
}
