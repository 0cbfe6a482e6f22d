import type { Logger } from 'pino';
import type { AggregateLoader } from '../../commands/aggregate-cache.ts';
import type { EventStore } from '../../events/event-store.ts';
import { localAttendances } from '../presence/who-is-online.ts';
import { type Broadcaster, startBroadcaster } from '../delivery/broadcaster.ts';
import type { ChatServer } from '../connection/connection.ts';
import { deliverHere } from '../delivery/deliver-here.ts';
import type { Send } from '../delivery/write-frames.ts';
import type { Node } from './node.ts';
import { trackReach } from '../presence/received.ts';
import type { Users } from '../presence/users.ts';

interface LoneNodeDeps {
  io: ChatServer;
  /** Writes to the sockets of this node. */
  write: Send;
  users: Users;
  store: EventStore;
  loader: AggregateLoader;
  log: Logger;
}

/** Creates the only node, which follows the log for its own sockets. */
export function loneNode({ io, write, users, store, loader, log }: LoneNodeDeps): Node {
  const delivery = deliverHere({ write, users, store });
  const reach = trackReach(io, users);
  let broadcaster: Broadcaster | undefined;

  return {
    send: write,
    delivery,
    reach,
    attendances: localAttendances({ users, reach }),
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
