import type { ChatServer } from '../connection/connection.ts';
import type { BroadcastProgress } from '../delivery/delivery.ts';
import { type Flags, type Send, textOf } from '../delivery/write-frames.ts';
import { type RosterNews, nodeNews } from './node-news.ts';

export interface NodeNewsHandlers {
  roster(news: RosterNews): void;
  progress(progress: BroadcastProgress): void;
}

/**
 * The parts of Socket.IO's `ClusterAdapter` that are used besides its public side; version 2.5 of
 * socket.io-adapter.
 */
interface ClusterAdapter {
  publish(message: { type: number; data: object }): void;
  onMessage(message: Message): void;
}
/** A message that passes over the node bus. */
type Message = { nsp: string } & (
  | { type: typeof BROADCAST; data: { packet: { text: string }; opts: Options } }
  | { type: typeof SERVER_SIDE_EMIT; data: { packet: [string, ...unknown[]] } }
);
interface Options {
  rooms: string[];
  except: string[];
  flags?: Flags;
}

/** Two values of socket.io-adapter's `MessageType`. */
const BROADCAST = 3;
const SERVER_SIDE_EMIT = 9;

/**
 * Returns the function that sends to the sockets of all nodes. `write` reaches those of this node, for
 * packets from here and from other nodes. Only two of Socket.IO's messages between nodes are accepted, so
 * that a message on the bus cannot move or end sockets, or read their data.
 */
export function sendOverNodeBus(
  adapter: ReturnType<ChatServer['of']>['adapter'],
  { write, handlers }: { write: Send; handlers: NodeNewsHandlers },
): Send {
  const cluster = adapter as unknown as ClusterAdapter;

  cluster.onMessage = (message) => {
    if (message.nsp !== '/') return;
    if (message.type === BROADCAST) {
      const { packet, opts } = message.data;
      // No broadcast of this server is without a room.
      if (opts.rooms.length === 0) return;
      write(packet, { rooms: new Set(opts.rooms), except: new Set(opts.except), flags: { ...opts.flags } });
    } else if (message.type === SERVER_SIDE_EMIT) {
      const [name, payload] = message.data.packet;
      if (name === 'roster') handlers.roster(nodeNews.roster.parse(payload));
      else if (name === 'told') handlers.progress(nodeNews.told.parse(payload));
    }
  };

  return (packet, target) => {
    // Encoded once for all nodes.
    const encoded = { text: textOf(packet) };
    const { rooms, except = [], flags } = target;
    cluster.publish({
      type: BROADCAST,
      data: { packet: encoded, opts: { rooms: [...rooms], except: [...except], flags } },
    });
    write(encoded, target);
  };
}
