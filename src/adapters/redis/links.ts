import type { Logger } from 'pino';
import { type RedisChannels, createRedisChannels } from './channels.ts';
import { type RedisLink, keepRedisLink } from './link.ts';

/** Redis as one process uses it. All keys begin with `chat:`, and so do all channels. */
export interface RedisLinks {
  commands: RedisLink;
  channels: RedisChannels;
  /** Why some of it does not work now; undefined while all is well. */
  failure(): string | undefined;
  close(): Promise<void>;
}

/**
 * Connects to Redis 7 or later, three times: what is published waits for no command, and what is heard for neither. It
 * goes on trying for ever, and never throws for want of Redis. Whatever is in Redis can be lost at any time.
 */
export function openRedis({ url, log }: { url: string; log: Logger }): RedisLinks {
  const keep = (name: string) => keepRedisLink({ url, name: `chat-${name}`, log });
  const [commands, publishing, hearing] = [keep('commands'), keep('publishing'), keep('hearing')];
  const channels = createRedisChannels({ publishing, hearing, log });
  return {
    commands,
    channels,
    failure: () => commands.failure() ?? channels.failure(),
    async close() {
      await Promise.all([hearing.close(), publishing.close(), commands.close()]);
    },
  };
}
