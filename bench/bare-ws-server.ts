import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo, Socket as TcpSocket } from 'node:net';
import { WebSocketServer } from 'ws';
import { textFrame } from '../src/realtime/delivery/wire.ts';
import { joinRoom, sent, visitorOf } from './bare-answers.ts';

/**
 * The peer of `fanout`: `ws` that only broadcasts. Each frame is encoded once, and written as it is to each
 * member; what one turn of the event loop has for a member leaves in one write. Of Engine.IO and Socket.IO it
 * speaks what a client of theirs needs to connect, to send with an ack, and to stay.
 */
const PING_MS = 25_000;
const PING = textFrame('2');
const SENT = /^42(\d+)\["sendMessage",(.*)\]$/s;

const http = createServer();
const server = new WebSocketServer({ server: http, path: '/socket.io/' });

interface Line {
  tcp: TcpSocket;
  frames: Buffer[];
}

const rooms = new Map<string, Set<Line>>();
let written: Line[] = [];

function write(line: Line, frame: Buffer): void {
  if (line.frames.push(frame) === 1 && written.push(line) === 1) setImmediate(flush);
}

function flush(): void {
  const lines = written;
  written = [];
  for (const line of lines) {
    const { tcp, frames } = line;
    line.frames = [];
    if (tcp.writable) tcp.write(frames.length === 1 ? frames[0]! : Buffer.concat(frames));
  }
}

const eventFrame = (name: string, payload: unknown) => textFrame(`42${JSON.stringify([name, payload])}`);

server.on('connection', (ws, { socket: tcp }) => {
  const line: Line = { tcp, frames: [] };
  const say = (text: string) => write(line, textFrame(text));
  const beat = setInterval(() => write(line, PING), PING_MS);
  let leave = () => {};
  let hear = (_text: string) => {};

  function enter(token: string): void {
    const visitor = visitorOf(token);
    const room = rooms.get(visitor.groupId) ?? new Set();
    rooms.set(visitor.groupId, room.add(line));
    leave = () => void room.delete(line);
    say(`40${JSON.stringify({ sid: randomUUID() })}`);
    write(line, eventFrame('joinRoom', joinRoom(visitor)));
    hear = (text) => {
      const [, id, message] = SENT.exec(text) ?? [];
      if (message === undefined) return;
      const { envelope, ack } = sent(visitor, JSON.parse(message) as Parameters<typeof sent>[1]);
      const frame = eventFrame('messageSent', envelope);
      for (const member of room) write(member, frame);
      say(`43${id}${JSON.stringify([ack])}`);
    };
  }

  ws.on('message', (data: Buffer) => {
    const text = data.toString();
    if (text.startsWith('40')) enter((JSON.parse(text.slice(2)) as { token: string }).token);
    else hear(text);
  });
  ws.on('close', () => {
    clearInterval(beat);
    leave();
  });
  const times = { pingInterval: PING_MS, pingTimeout: 20_000 };
  say(`0${JSON.stringify({ sid: randomUUID(), upgrades: [], ...times, maxPayload: 1_000_000 })}`);
});

http.listen(0, '127.0.0.1', () => {
  const { port } = http.address() as AddressInfo;
  process.send?.({ url: `http://127.0.0.1:${port}` });
});
process.once('disconnect', () => process.exit(0));
