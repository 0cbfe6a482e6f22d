import type { Revision } from '../../events/event-store.ts';
import type { ChatServer } from '../connection/connection.ts';
import { type RosterNews, nodeNews } from './node-news.ts';
import type { Told } from '../delivery/delivery.ts';

type Adapter = ReturnType<ChatServer['of']>['adapter'];
/** An event for clients as the JSON that they get: it is made once for all nodes. */
export interface Packet {
  text: string;
}
export type Write = (packet: Packet, opts: Parameters<Adapter['broadcast']>[1]) => void;

/** What a packet for a group carries among nodes, and no client sees: the revision of the roster that it relies on. */
export interface Fence {
  needs: Revision;
}

export interface NodeNewsHandlers {
  roster(news: RosterNews): void;
  told(told: Told): void;
}

/** What of Socket.IO's `ClusterAdapter` is used besides its public side; version 2.5 of socket.io-adapter. */
interface ClusterAdapter {
  publish(message: { type: number; data: object }): void;
  onMessage(message: Message): void;
}
/** As the carrier lets it pass. */
type Message = { nsp: string } & (
  | { type: typeof BROADCAST; data: { packet: Packet; opts: Options } }
  | { type: typeof SERVER_SIDE_EMIT; data: { packet: [string, ...unknown[]] } }
);
interface Options {
  rooms: string[];
  except: string[];
  flags?: { volatile?: boolean; needs?: unknown };
}

/** Of socket.io-adapter's `MessageType`. */
const BROADCAST = 3;
const SERVER_SIDE_EMIT = 9;

/**
 * Makes every emit to rooms reach the sockets of the other nodes, and what they emit reach the sockets of this one, by
 * `write`. Of all the messages that Socket.IO knows among nodes only these are obeyed, so that nothing in the carrier
 * can move or end sockets, or read what is known of them.
 */
export function nodeBusAdapter(
  adapter: Adapter,
  { write, handlers }: { write: Write; handlers: NodeNewsHandlers },
): void {
  const cluster = adapter as unknown as ClusterAdapter;

  adapter.broadcast = ({ data }: { data: unknown[] }, opts) => {
    const { rooms, except = [], flags } = opts;
    const packet: Packet = { text: JSON.stringify(data) };
    if (!flags?.local)
      cluster.publish({
        type: BROADCAST,
        data: { packet, opts: { rooms: [...rooms], except: [...except], flags } },
      });
    write(packet, opts);
  };

  cluster.onMessage = (message) => {
    if (message.nsp !== '/') return;
    if (message.type === BROADCAST) {
      const { packet, opts } = message.data;
      // Nothing is for everybody.
      if (opts.rooms.length === 0) return;
      const flags = { ...opts.flags };
      write(packet, { rooms: new Set(opts.rooms), except: new Set(opts.except), flags });
    } else if (message.type === SERVER_SIDE_EMIT) {
      const [name, payload] = message.data.packet;
      if (name === 'roster') handlers.roster(nodeNews.roster.parse(payload));
      else if (name === 'told') handlers.told(nodeNews.told.parse(payload));
    }
  };
}
