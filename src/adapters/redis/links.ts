import type { Logger } from 'pino';
import { type RedisChannels, createRedisChannels } from './channels.ts';
import { type RedisLink, keepRedisLink } from './link.ts';

/** The connections of one process to Redis. All keys and channels begin with `chat:`. */
export interface RedisLinks {
  commands: RedisLink;
  channels: RedisChannels;
  /** Returns the reason why some of it does not work now; undefined while all of it works. */
  failure(): string | undefined;
  close(): Promise<void>;
}

/**
 * Connects to Redis 7 or later, three times, so that neither published nor received messages wait for a
 * command. Retries for ever, and never throws when Redis is missing. Everything in Redis may be lost at any
 * time.
 */
export function openRedis({ url, log }: { url: string; log: Logger }): RedisLinks {
  const keep = (name: string) => keepRedisLink({ url, name: `chat-${name}`, log });
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
