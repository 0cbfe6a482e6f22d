import type { Socket as TcpSocket } from 'node:net';
import type { Server, Socket } from 'socket.io';
import type { Position, Revision } from '../../events/event-store.ts';
import type { UserId } from '../../events/ids.ts';
import { TokenBucket } from '../../kit/token-bucket.ts';

/** The parts of a `ws` connection that Socket.IO and engine.io themselves use to send prepared frames. */
type FrameParts = [head: Buffer, body?: Buffer | string];
interface WebSocket {
  _socket: TcpSocket;
  _sender: { sendFrame: (frame: FrameParts, sent?: (error?: Error | null) => void) => void };
  close(code: number, reason: string): void;
  pause(): void;
  terminate(): void;
}

export type EngineSocket = Socket['conn'];

export interface Wiring {
  /** Returns the outgoing side of a connection. It exists from the connection's first packet on. */
  of(conn: EngineSocket): Wire;
}

const TEXT_FRAME = 0x81;
const CLOSE = 0x8;
const PONG = 0xa;
/** Larger amounts are cheaper to write in pieces than to copy. */
const COPY_BYTES = 65_536;
/** RFC 6455 §7.4.2: 4000 to 4999 are for private use. */
const SLOW_CONSUMER = 4_008;
/** RFC 6455 §7.4.1. */
const POLICY_VIOLATION = 1_008;
/**
 * A write to a connection is a system call, which costs more than the frames in it. After a flush of at least
 * `BUSY_WIRES` connections, the next flush starts no earlier than `BUSY_MS` later, so that writes carry more frames.
 */
const [BUSY_WIRES, BUSY_MS] = [32, 4];
const TERMINATE_AFTER_MS = 1_000;
const LAST_WORDS_BYTES = 16_384;
/** Limit of WebSocket's own pings, which `ws` answers: browsers send none, other clients few. */
const PINGS = { perSecond: 10, burst: 100 };

/** Returns a WebSocket text frame, unmasked as servers send it, in one buffer that all receivers share. */
export function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const offset = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(offset + length);
  frame[0] = TEXT_FRAME;
  if (offset === 2) frame[1] = length;
  else if (offset === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.write(text, offset);
  return frame;
}

/**
 * A list of frames. Connections with the same frames to send have the same list, which is put together once: in a room
 * of a hundred, nearly all of them.
 */
class Frames {
  readonly bytes: number;
  readonly #before: Frames | undefined;
  readonly #last: Buffer | undefined;
  #longer: Frames | undefined;
  #whole: Buffer | undefined;

  /** The empty list has neither. */
  constructor(before?: Frames, last?: Buffer) {
    this.#before = before;
    this.#last = last;
    this.bytes = before && last ? before.bytes + last.length : 0;
  }

  get isEmpty(): boolean {
    return this.#last === undefined;
  }

  /** Returns the list with one frame more. */
  and(frame: Buffer): Frames {
    if (this.#longer && this.#longer.#last === frame) return this.#longer;
    return (this.#longer = new Frames(this, frame));
  }

  /** Returns the frames of a list, first to last. */
  static all(list: Frames): Buffer[] {
    const frames: Buffer[] = [];
    for (let at: Frames | undefined = list; at && at.#last; at = at.#before) frames.push(at.#last);
    return frames.reverse();
  }

  /** Returns the frames in one buffer. */
  whole(): Buffer {
    if (this.#last && this.#before?.isEmpty) return this.#last;
    return (this.#whole ??= Buffer.concat(Frames.all(this), this.bytes));
  }
}

/** Flushes connections together. */
interface Flushing {
  /** The list with which each connection begins after a flush. */
  readonly nothing: Frames;
  flushSoon(wire: Wire): void;
}

/**
 * The outgoing side of one connection. All frames of one turn of the event loop leave in one write. Since all
 * output passes here, the number of unsent bytes is known exactly, and order is kept.
 */
export class Wire {
  readonly #conn: EngineSocket;
  readonly #ws: WebSocket;
  readonly #tcp: TcpSocket;
  readonly #limit: number;
  readonly #flushing: Flushing;
  /** Called when the connection cannot keep up. After that only its close frame is sent. */
  onCut: (() => void) | undefined;
  #frames: Frames | undefined;
  #isCut = false;
  #isEnded = false;
  #pings: TokenBucket | undefined;

  /** `maxUnsentBytes`: the connection is cut when more than this is unsent. */
  constructor(conn: EngineSocket, flushing: Flushing, maxUnsentBytes: number) {
    const { socket: ws } = conn.transport as unknown as { socket: WebSocket };
    ws._sender.sendFrame = (frame, sent) => this.sendFrame(frame, sent);
    this.#conn = conn;
    this.#ws = ws;
    this.#tcp = ws._socket;
    this.#limit = maxUnsentBytes;
    this.#flushing = flushing;
  }

  /** Number of bytes that the kernel has not taken yet. */
  get unsentBytes(): number {
    return this.#tcp.writableLength + (this.#frames?.bytes ?? 0);
  }

  get isCut(): boolean {
    return this.#isCut;
  }

  /** Sends a frame together with the others of this turn. */
  write(frame: Buffer): void {
    if (this.#isCut) return;
    if (!this.#frames) this.#flushing.flushSoon(this);
    this.#frames = (this.#frames ?? this.#flushing.nothing).and(frame);
    if (this.unsentBytes > this.#limit) this.#relieve();
  }

  /** Passes all collected frames to the kernel. */
  flush(): void {
    const frames = this.#frames;
    if (!frames) return;
    this.#frames = undefined;
    const tcp = this.#tcp;
    if (!tcp.writable) return;
    if (frames.bytes <= COPY_BYTES) {
      tcp.write(frames.whole());
      return;
    }
    tcp.cork();
    for (const frame of Frames.all(frames)) tcp.write(frame);
    tcp.uncork();
  }

  /** Ends a connection that breaks the rules. Reads little more of it; frames that were already written are sent. */
  end(reason: string): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#close(POLICY_VIOLATION, reason);
    const { bytesRead } = this.#tcp;
    // Parsing frames costs time even when they are ignored. A client that closes as well sends only a few bytes.
    this.#tcp.on('data', () => {
      if (this.#tcp.bytesRead - bytesRead > LAST_WORDS_BYTES) this.#ws.pause();
    });
    this.#conn.close();
  }

  /** Resolves once the connection can take more, or is gone. */
  async drained(): Promise<void> {
    this.flush();
    const tcp = this.#tcp;
    if (!tcp.writableNeedDrain || tcp.destroyed) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        tcp.off('drain', done).off('close', done);
        resolve();
      };
      tcp.on('drain', done).on('close', done);
    });
  }

  /** Replaces the sender's own method. It calls back at once, so that nothing queues before it. */
  sendFrame([head, body]: FrameParts, sent?: (error?: Error | null) => void): void {
    const opcode = head[0]! & 0x0f;
    const whole = body === undefined ? head : Buffer.concat([head, Buffer.from(body)]);
    if (opcode === PONG && !(this.#pings ??= new TokenBucket(PINGS)).take())
      return this.end('too many pings');
    if (opcode !== CLOSE) {
      this.write(whole);
      sent?.();
      return;
    }
    this.flush();
    if (this.#tcp.writable) this.#tcp.write(whole, sent);
  }

  /** A burst within one turn does not show a slow consumer: only bytes that the kernel refuses count. */
  #relieve(): void {
    this.flush();
    if (this.unsentBytes <= this.#limit) return;
    this.#isCut = true;
    this.#close(SLOW_CONSUMER, 'slow consumer');
    this.onCut?.();
  }

  #close(code: number, reason: string): void {
    this.#ws.close(code, reason);
    setTimeout(() => this.#ws.terminate(), TERMINATE_AFTER_MS).unref();
  }
}

/** Creates a wire for every connection of the server. */
export function wireUp(io: Server, maxUnsentBytes: number): Wiring {
  const wires = new WeakMap<EngineSocket, Wire>();
  let toFlush: Wire[] = [];
  let flushedAt = -Infinity;
  let isBusy = false;

  const flushAll = () => {
    const wiresToFlush = toFlush;
    toFlush = [];
    flushing.nothing = new Frames();
    flushedAt = performance.now();
    isBusy = wiresToFlush.length >= BUSY_WIRES;
    for (const wire of wiresToFlush) wire.flush();
  };
  const flushing = {
    nothing: new Frames(),
    flushSoon(wire: Wire) {
      if (toFlush.push(wire) > 1) return;
      const waitMs = isBusy ? flushedAt + BUSY_MS - performance.now() : 0;
      if (waitMs > 0) setTimeout(flushAll, waitMs);
      // Runs once every promise of this turn is settled, so that all packets of one commit leave together, and
      // at once.
      else process.nextTick(flushAll);
    },
  };

  io.engine.on('connection', (conn: EngineSocket) => {
    wires.set(conn, new Wire(conn, flushing, maxUnsentBytes));
  });

  return { of: (conn) => wires.get(conn)! };
}

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
  /** Of the sockets in the rooms, only those that are in one of these as well. */
  within?: readonly string[];
  /** The revision of the group's roster that the event relies on. Rooms that are behind are corrected first. */
  needs?: Revision;
  /** The position of the last change of any company's people before the event. Nodes that missed it check all rooms. */
  staff?: Position;
}

/** The kinds of hints. None of them is logged. */
export type HintName = 'messagesRead' | 'typing' | 'presence';

/** Sends a packet to sockets: `write` to those of this node, `send` to those of all nodes. */
export type Send = (packet: Packet, target: Target) => void;

/** The part of a Socket.IO namespace that holds its rooms, and the wire of each socket. */
interface WiredNamespace {
  adapter: { rooms: ReadonlyMap<string, ReadonlySet<string>> };
  sockets: ReadonlyMap<string, { data: { wire?: Wire } }>;
}

/** Writes to the sockets of this node. Returns the number of sockets reached. */
export type WriteFrames = (packet: Packet, target: Target) => number;

export const textOf = (packet: Packet): string =>
  'text' in packet ? packet.text : JSON.stringify(packet.data);

/**
 * Returns a function that writes one shared frame straight to each socket's wire: the event is encoded once,
 * and a delivery is an entry in a list. `delivered` is called with the number of sockets reached.
 */
export function frameWriter(
  { adapter, sockets }: WiredNamespace,
  delivered: (sockets: number) => void,
): WriteFrames {
  return (packet, { rooms, except, flags }) => {
    const excepted = except?.size ? membersOf(adapter, except) : undefined;
    const within = flags?.within && membersOf(adapter, new Set(flags.within));
    const ids = rooms.size === 1 ? adapter.rooms.get(first(rooms)) : membersOf(adapter, rooms);
    if (!ids) return 0;
    let frame: Buffer | undefined;
    let count = 0;
    for (const id of ids) {
      const wire = sockets.get(id)?.data.wire;
      if (!wire || excepted?.has(id) || within?.has(id) === false) continue;
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
function membersOf({ rooms }: WiredNamespace['adapter'], names: ReadonlySet<string>): Set<string> {
  const ids = new Set<string>();
  for (const name of names) for (const id of rooms.get(name) ?? []) ids.add(id);
  return ids;
}
