import { Agent, type OutgoingHttpHeaders, request } from 'node:http';
import { json } from 'node:stream/consumers';
import { io } from 'socket.io-client';
import WebSocket from 'ws';

/** An attacker: a user of the server, with a token. */
export interface Attacker {
  userId: string;
  token: string;
}

/** The count of each answer, by status or code. */
export type Tally = Record<string, number>;

let localAddress: string;
let agent = new Agent();

/** Makes all further calls come from this address. */
export function comeFrom(address: string): void {
  localAddress = address;
  agent.destroy();
  agent = new Agent({ keepAlive: true, localAddress, maxSockets: 64 });
}

let tally: Tally = {};
export const count = (what: string) => void (tally[what] = (tally[what] ?? 0) + 1);

/** Returns the counts since the last call. */
export function takeTally(): Tally {
  const taken = tally;
  tally = {};
  return taken;
}

export interface Call {
  attacker?: Attacker;
  body?: unknown;
  bytes?: Uint8Array;
  headers?: OutgoingHttpHeaders;
}

/** Makes a call and resolves with its body, whatever the status. */
export function call<T = Record<string, unknown>>(
  url: URL,
  method: string,
  { attacker, body, bytes, headers }: Call,
) {
  return new Promise<T>((resolve) => {
    const content = bytes ?? (body === undefined ? undefined : Buffer.from(JSON.stringify(body)));
    const asked = request(url, {
      method,
      agent,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(content && { 'content-length': content.length }),
        ...(attacker && { authorization: `Bearer ${attacker.token}` }),
        ...headers,
      },
    });
    asked.once('error', ({ message }) => {
      count(message);
      resolve({} as T);
    });
    asked.once('response', (response) => {
      count(String(response.statusCode));
      json(response).then(
        (answer) => resolve(answer as T),
        () => resolve({} as T),
      );
    });
    asked.end(content);
  });
}

/** Opens a WebSocket that has not authenticated yet. */
export function rawSocket(url: string): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const address = `${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`;
    const socket = new WebSocket(address, { localAddress });
    socket.once('open', () => resolve(socket));
    socket.once('error', reject);
  });
}

/** Opens a socket that is in its first room. */
export const joined = (url: string, { token }: Attacker) =>
  new Promise<ReturnType<typeof io>>((resolve, reject) => {
    const socket = io(url, {
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
      auth: { token },
      localAddress,
    } as object);
    socket.once('joinRoom', () => resolve(socket));
    socket.once('connect_error', reject);
  });
