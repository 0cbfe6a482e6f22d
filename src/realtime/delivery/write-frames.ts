import type { Revision } from '../../events/event-store.ts';
import type { UserId } from '../../events/ids.ts';
import type { ChatServer } from '../connection/connection.ts';
import { textFrame } from './wire.ts';

/** Volatile events are dropped for a socket that has more than this unsent. */
const VOLATILE_BYTES = 16_384;
/** Engine.IO's "message", then Socket.IO's "event" of the main namespace. */
const EVENT = '42';

/** An event for clients: its name and payload, or the JSON of both. */
export type Packet = { data: [name: string, payload: unknown] } | { text: string };

/** The sockets in any of the rooms, except those in the rooms of `except`. */
export interface Target {
  rooms: ReadonlySet<string>;
  except?: ReadonlySet<string>;
  flags?: Flags;
}

/** Data that travels with a packet between nodes. Clients do not see it. */
export interface Flags {
  /** True if sockets that lag do not get the packet. */
  volatile?: boolean | undefined;
  /** Set for a hint: its kind and the user it is about. Each room has a limited number of frames for hints. */
  hint?: { name: HintName; userId: UserId; online?: boolean | undefined };
  /** The revision of the group's roster that the event relies on. Rooms that are behind are corrected first. */
  needs?: Revision;
}

/** The kinds of hints. None of them is logged. */
export type HintName = 'messagesRead' | 'typing' | 'presence';

/** Sends a packet to sockets: `write` to those of this node, `send` to those of all nodes. */
export type Send = (packet: Packet, target: Target) => void;

/** Writes to the sockets of this node. Returns the number of sockets reached. */
export type WriteFrames = (packet: Packet, target: Target) => number;

export const textOf = (packet: Packet): string =>
  'text' in packet ? packet.text : JSON.stringify(packet.data);

/**
 * Returns a function that writes one shared frame straight to each socket's wire: the event is encoded once,
 * and a delivery is an entry in a list. `delivered` is called with the number of sockets reached.
 */
export function frameWriter(io: ChatServer, delivered: (sockets: number) => void): WriteFrames {
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
      frame ??= textFrame(EVENT + textOf(packet));
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

/** The ids of the sockets in any of the rooms. */
function membersOf(
  { rooms }: ReturnType<ChatServer['of']>['adapter'],
  names: ReadonlySet<string>,
): Set<string> {
  const ids = new Set<string>();
  for (const name of names) for (const id of rooms.get(name) ?? []) ids.add(id);
  return ids;
}
