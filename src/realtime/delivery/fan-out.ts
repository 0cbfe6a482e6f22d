import type { ChatServer } from '../connection/connection.ts';
import { textFrame } from './wire.ts';

/** Volatile events are dropped for a socket that has more than this unsent. */
const VOLATILE_BYTES = 16_384;
/** Socket.IO's "event" among the types of packets. */
export const EVENT_TYPE = 2;
/** Engine.IO's "message", then Socket.IO's "event" of the main namespace. */
const EVENT = '42';

/** An event for clients: its name and what belongs to it, as values or as JSON already. */
type Packet = { data: unknown[] } | { text: string };

type Adapter = ReturnType<ChatServer['of']>['adapter'];
/** Returns the number of sockets reached. */
export type FanOut = (packet: Packet, opts: Parameters<Adapter['broadcast']>[1]) => number;

/**
 * Returns what writes one shared frame for an emit to rooms straight to each socket's wire: the event is encoded once, and
 * a delivery is an entry in a list. `delivered` is told the number of sockets reached.
 */
export function fanOut(io: ChatServer, delivered: (sockets: number) => void): FanOut {
  const main = io.of('/');
  const { adapter } = main;

  return (packet, { rooms, except, flags }) => {
    const excepted = except?.size ? membersOf(adapter, except) : undefined;
    const ids = rooms.size === 1 ? adapter.rooms.get(first(rooms)) : membersOf(adapter, rooms);
    if (!ids) return 0;
    let frame: Buffer | undefined;
    let count = 0;
    for (const id of ids) {
      const wire = main.sockets.get(id)?.data.wire;
      if (!wire || excepted?.has(id)) continue;
      if (flags?.volatile && wire.unsentBytes > VOLATILE_BYTES) continue;
      frame ??= textFrame(EVENT + ('text' in packet ? packet.text : JSON.stringify(packet.data)));
      wire.write(frame);
      count += 1;
    }
    delivered(count);
    return count;
  };
}

const first = (rooms: ReadonlySet<string>): string => {
  for (const room of rooms) return room;
  return '';
};

/** The ids of the sockets in any of the rooms; without rooms, of all sockets. */
function membersOf({ rooms, sids }: Adapter, names: ReadonlySet<string>): Set<string> {
  if (names.size === 0) return new Set(sids.keys());
  const ids = new Set<string>();
  for (const name of names) for (const id of rooms.get(name) ?? []) ids.add(id);
  return ids;
}
