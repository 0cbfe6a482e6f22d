import type { Logger } from 'pino';
import type { AggregateLoader } from '../../commands/aggregate-cache.ts';
import type { EventStore } from '../../events/event-store.ts';
import { whoIsOnlineHere } from '../presence/who-is-online.ts';
import { type Broadcaster, startBroadcaster } from '../delivery/broadcaster.ts';
import type { ChatServer } from '../connection/connection.ts';
import { deliverHere } from '../delivery/delivery.ts';
import type { Send, WriteFrames } from '../delivery/write-frames.ts';
import type { Node } from './node.ts';
import { trackReceived } from '../presence/received.ts';
import type { Users } from '../presence/users.ts';

interface LoneNodeDeps {
  io: ChatServer;
  /** Writes to the sockets of this node. */
  writeFrames: WriteFrames;
  /** Writes to the sockets of this node, of hints as many as their rooms bear. */
  write: Send;
  users: Users;
  store: EventStore;
  loader: AggregateLoader;
  log: Logger;
}

/** Creates the only node, which follows the log for its own sockets. */
export function loneNode({ io, writeFrames, write, users, store, loader, log }: LoneNodeDeps): Node {
  const delivery = deliverHere({ write: writeFrames, users, store });
  const tracker = trackReceived(io, users);
  let broadcaster: Broadcaster | undefined;

  return {
    send: write,
    delivery,
    tracker,
    whoIsOnline: whoIsOnlineHere({ users, tracker }),
    changed: () => {},
    position: () => broadcaster?.position() ?? 0,
    hearing: () => undefined,
    async start() {
      broadcaster = startBroadcaster({ delivery, store, loader, from: await store.head(), log });
    },
    async close() {
      await broadcaster?.stop();
    },
  };
}
