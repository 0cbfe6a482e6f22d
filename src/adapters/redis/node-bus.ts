import { createShardedAdapter } from '@socket.io/redis-adapter';
import type { Namespace } from 'socket.io';
import type { NodeBus } from '../../realtime/cluster/node-bus.ts';
import { inTime } from './link.ts';
import type { RedisLinks } from './links.ts';
import { within } from '../../kit/deadline.ts';

/** Prefix of the adapter's channels, followed by the room. The operator of Redis can limit our user to it. */
const CHANNEL_PREFIX = 'chat:push';
const SUBSCRIBE_DEADLINE_MS = 1_000;
const TAKING_OVER_DEADLINE_MS = 2_000;
/** Values of `MessageType` in socket.io-adapter. */
const BROADCAST = 3;
const SERVER_SIDE_EMIT = 9;
/** The events that Socket.IO itself emits to the listeners of a namespace. */
const RESERVED: readonly unknown[] = ['connect', 'connection', 'new_namespace', 'error'];

/** The messages emitted since the last call of `takenOver`. */
interface Emitted {
  inFlight: Set<Promise<void>>;
  lost: Error | undefined;
}

/**
 * Creates Socket.IO's sharded adapter in its dynamic mode: a channel for each room, which a node subscribes
 * to while it has sockets in the room. Nodes send each other what is emitted to rooms, as the text for
 * clients, and `serverSideEmit` without an answer. Everything else on a channel is dropped, so that a writer
 * in Redis cannot move sockets, close them or read who they are.
 */
export function createRedisNodeBus({
  redis: { channels },
}: {
  redis: Pick<RedisLinks, 'channels'>;
}): NodeBus & { close(): void } {
  const subscribed = new Set<string>();
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

  /**
   * Creates the adapter of one namespace. It takes a client of the package `redis`, which has these three
   * methods.
   */
  function adapter(namespace: Namespace) {
    const client = {
      sPublish: publish,
      sSubscribe(channel: string) {
        subscribed.add(channel);
        channels.subscribe(channel, (raw) => {
          if (!raw.subarray(-ownEnd.length).equals(ownEnd)) receiver.onMessage(parse(raw));
        });
      },
      sUnsubscribe(channel: string) {
        subscribed.delete(channel);
        channels.unsubscribe(channel);
      },
    };
    const options = { channelPrefix: CHANNEL_PREFIX, subscriptionMode: 'dynamic' } as const;
    const sharded = createShardedAdapter(client, client, options)(namespace);
    const receiver = sharded as unknown as Receiver;
    // Compared before parsing: a node with sockets in a room also receives its own messages to the room.
    const ownEnd = Buffer.from(`"uid":"${receiver.uid}","nsp":"${namespace.name}"}`);
    return sharded;
  }

  return {
    adapter: adapter as unknown as NodeBus['adapter'],
    subscribed: () => within(channels.subscribed(), SUBSCRIBE_DEADLINE_MS, () => undefined),
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
      for (const channel of subscribed) channels.unsubscribe(channel);
      subscribed.clear();
    },
  };
}

/** The protected part of the adapter. */
interface Receiver {
  onMessage(message: object): void;
  readonly uid: string;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const areTexts = (values: unknown) =>
  Array.isArray(values) && values.every((value) => typeof value === 'string');
const isEvent = (values: unknown): values is [string, ...unknown[]] =>
  Array.isArray(values) && typeof values[0] === 'string';

/**
 * Returns true for the start and end of a name with one object, as JSON. Only the server writes the rest, and
 * parsing it again would cost too much.
 */
const isEventText = (text: unknown) =>
  typeof text === 'string' && /^\["[A-Za-z]+",\{/.test(text) && text.endsWith('}]');

const isBroadcast = (packet: unknown, opts: unknown) =>
  isObject(packet) &&
  isEventText(packet['text']) &&
  isObject(opts) &&
  areTexts(opts['rooms']) &&
  areTexts(opts['except']) &&
  (opts['flags'] === undefined || isObject(opts['flags']));

/** Parses a message of the two accepted kinds. Throws on anything else, without repeating any of it. */
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
