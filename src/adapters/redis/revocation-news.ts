import type { RevocationNews } from '../../auth/revocations.ts';
import type { RedisLinks } from './links.ts';

const CHANNEL = 'chat:revocations';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Creates news of ended sessions, by id, on a channel of Redis. */
export function createRedisRevocationNews({
  redis: { channels },
}: {
  redis: Pick<RedisLinks, 'channels'>;
}): RevocationNews {
  return {
    announce(sessionId) {
      // The other nodes find lost messages in the store.
      channels.publish(CHANNEL, sessionId).catch(() => undefined);
    },
    listen(onEnded, signal) {
      channels.subscribe(CHANNEL, (message) => {
        const sessionId = message.toString();
        if (!UUID.test(sessionId)) throw new Error('not the id of a session');
        onEnded(sessionId);
      });
      signal.addEventListener('abort', () => channels.unsubscribe(CHANNEL));
    },
  };
}
