import type { Logger } from 'pino';
import { type RedisChannels, createRedisChannels } from './redis-channels.ts';
import { type RedisLink, keepRedisLink } from './redis-link.ts';

/** Whoever waits for Redis does so within a request, or has a queue behind it. */
const COMMAND_DEADLINE_MS = 500;
/** Nobody waits for these but an arrival, which has a deadline of its own; thousands may be sent at once. */
const HEAR_DEADLINE_MS = 2_000;

/** Redis as one process uses it. All keys begin with `chat:`, and so do all channels. */
export interface RedisLinks {
  /** For commands; each has half a second. */
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
  const keep = (name: string, deadlineMs: number) =>
    keepRedisLink({ url, name: `chat-${name}`, deadlineMs, log });
  const commands = keep('commands', COMMAND_DEADLINE_MS);
  const publishing = keep('publishing', COMMAND_DEADLINE_MS);
  const hearing = keep('hearing', HEAR_DEADLINE_MS);
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
