import { type RedisChannels, createRedisChannels } from './channels.ts';
import { type RedisLink, type RedisServer, keepRedisLink } from './link.ts';

/** The connections of one process to Redis. All keys and channels begin with `chat:`. */
export interface RedisLinks {
  commands: RedisLink;
  channels: RedisChannels;
  /** Returns the reason why some of it does not work now; undefined while all of it works. */
  failure(): string | undefined;
  close(): Promise<void>;
}

interface OpenRedis extends RedisServer {
  /** Called with the name of a connection that is there again after a failure. */
  onReconnect?: (link: string) => void;
}

/**
 * Connects to Redis 7 or later, three times, so that neither published nor received messages wait for a
 * command. Retries for ever, and never throws when Redis is missing. Everything in Redis may be lost at any
 * time.
 */
export function openRedis({ onReconnect = () => {}, ...server }: OpenRedis): RedisLinks {
  const { log } = server;
  const keep = (name: string) => {
    const link = keepRedisLink({ ...server, name: `chat-${name}` });
    let isFirst = true;
    link.onReturn(() => {
      if (!isFirst) onReconnect(name);
      isFirst = false;
    });
    return link;
  };
  const [commands, publishing, subscribing] = [keep('commands'), keep('publishing'), keep('hearing')];
  const channels = createRedisChannels({ publishing, subscribing, log });
  return {
    commands,
    channels,
    failure: () => commands.failure() ?? channels.failure(),
    async close() {
      await Promise.all([subscribing.close(), publishing.close(), commands.close()]);
    },
  };
}
