import type { IncomingMessage, ServerResponse } from 'node:http';
import { originMatcher } from '../../kit/origins.ts';
import { problem } from '../../protocol/problem.ts';
import type { Addresses } from './addresses.ts';
import type { ChatServer, Connection } from './connection.ts';
import type { EngineSocket, Wiring } from '../delivery/wire.ts';

/**
 * Maximum number of failed CONNECTs. A token may have expired, and the next one may be refused as well; more
 * failures are guessing.
 */
const MAX_FAILURES = 3;
/**
 * Maximum number of pongs, Engine.IO's answers to pings. None is due before the first ping, which comes after
 * the deadline for authentication.
 */
const MAX_PONGS = 10;
const END = 'Connection: close\r\nContent-Length: 0\r\n\r\n';
const FORBIDDEN = `HTTP/1.1 403 Forbidden\r\n${END}`;
const TOO_MANY = `HTTP/1.1 429 Too Many Requests\r\nRetry-After: 60\r\n${END}`;

type ClientAddress = (request: IncomingMessage) => string;

/** A connection that is not authenticated. */
interface Stranger {
  address: string;
  /** True while a CONNECT is not answered yet. */
  isAsking: boolean;
  failures: number;
  pongs: number;
}

interface Packet {
  type: string;
  data?: unknown;
}

export interface Door {
  /** Records that a CONNECT has been refused; `isOwnFault` is true if the client is to blame. */
  refused(conn: EngineSocket, isOwnFault: boolean): void;
  admitted(conn: EngineSocket, connection: Connection): void;
}

/**
 * Returns a check that decides whether a WebSocket may open. It refuses browsers on pages of other sites
 * (cross-site WebSocket hijacking), because CORS does not cover WebSockets; clients that are not browsers
 * send no Origin. It refuses an address that has too many connections or failures, because refusing costs
 * least here.
 */
export function upgradeCheck(
  allowedOrigins: readonly string[],
  addresses: Addresses,
  clientAddress: ClientAddress,
) {
  const isListed = originMatcher(allowedOrigins);
  const isOriginAllowed = ({ headers: { origin, host } }: IncomingMessage) =>
    origin === undefined || isListed(origin) || (URL.canParse(origin) && new URL(origin).host === host);

  return (request: IncomingMessage, decide: (error: string | null, isAllowed: boolean) => void): void => {
    // Engine.IO would answer both cases with a bad request.
    const refuse = (answer: string) => {
      request.socket.end(answer);
      decide('refused', false);
    };
    if (!isOriginAllowed(request)) return refuse(FORBIDDEN);
    if (!addresses.mayConnect(clientAddress(request))) return refuse(TOO_MANY);
    decide(null, true);
  };
}

/**
 * Answers clients that begin with polling, which is the default of most, with instructions. Pages may read
 * the answer.
 */
export function refusePolling(io: ChatServer, allowedOrigins: readonly string[]): void {
  const isListed = originMatcher(allowedOrigins);
  const body = JSON.stringify(
    problem('BAD_REQUEST', { detail: 'Only WebSocket is spoken here: set transports to ["websocket"]' }),
  );
  io.engine.use((request: IncomingMessage, response: ServerResponse, next: () => void) => {
    const { upgrade, origin } = request.headers;
    if (upgrade !== undefined) return next();
    const isAllowed = origin !== undefined && isListed(origin);
    response.writeHead(400, {
      'Content-Type': 'application/problem+json',
      'Cache-Control': 'no-store',
      Vary: 'Origin',
      ...(isAllowed && { 'Access-Control-Allow-Origin': origin }),
    });
    response.end(body);
  });
}

/**
 * Checks each packet of a connection before Socket.IO gets it. An unauthenticated connection may send one
 * CONNECT at a time, and fail three times; anything else ends it. An authenticated one may not send another
 * CONNECT, and any packet that is not an event counts as refused.
 */
export function keepDoor({
  io,
  wiring,
  addresses,
  clientAddress,
}: {
  io: ChatServer;
  wiring: Wiring;
  addresses: Addresses;
  clientAddress: ClientAddress;
}): Door {
  const strangers = new WeakMap<EngineSocket, Stranger>();
  const connections = new WeakMap<EngineSocket, Connection>();

  io.engine.on('connection', (conn: EngineSocket) => {
    const address = clientAddress(conn.request);
    // The request of the upgrade is not needed any more. Kept, it would be a large part of an idle socket's
    // memory.
    (conn as { request: unknown }).request = undefined;
    addresses.opened(address);
    strangers.set(conn, { address, isAsking: false, failures: 0, pongs: 0 });
    conn.on('packet', onPacket);
    conn.on('close', onClose);
  });

  // One function for all connections: a closure for each would cost memory for every idle socket.
  function onPacket(this: EngineSocket, packet: Packet): void {
    const stranger = strangers.get(this);
    if (stranger) {
      if (!mayAsk(stranger, packet)) wiring.of(this).end('not authenticated');
      return;
    }
    const connection = connections.get(this);
    if (!connection) return;
    const { type, data } = packet;
    if (type === 'message' && typeof data === 'string' && data.startsWith('0'))
      connection.wire.end('one socket only');
    else if (isEvent(packet)) connection.received(data);
    else connection.wasRefused();
  }

  function onClose(this: EngineSocket): void {
    const stranger = strangers.get(this);
    if (!stranger) return;
    strangers.delete(this);
    addresses.settled(stranger.address);
    if (stranger.failures === 0) addresses.failed(stranger.address);
  }

  return {
    refused(conn, isOwnFault) {
      const stranger = strangers.get(conn);
      if (!stranger) return;
      stranger.isAsking = false;
      stranger.failures += 1;
      if (isOwnFault) addresses.failed(stranger.address);
      // Lets the answer leave first.
      if (stranger.failures === MAX_FAILURES) setImmediate(() => wiring.of(conn).end('not authenticated'));
    },

    admitted(conn, connection) {
      const stranger = strangers.get(conn);
      if (!stranger) return;
      strangers.delete(conn);
      addresses.settled(stranger.address);
      connections.set(conn, connection);
      conn.off('close', onClose);
    },
  };
}

/** Returns true if an unauthenticated connection may send this packet in its present state. */
function mayAsk(stranger: Stranger, { type, data }: Packet): boolean {
  if (type === 'pong') return (stranger.pongs += 1) <= MAX_PONGS;
  const isConnect = type === 'message' && typeof data === 'string' && /^0(?:\/,|[^/]|$)/.test(data);
  if (!isConnect || stranger.isAsking || stranger.failures === MAX_FAILURES) return false;
  stranger.isAsking = true;
  return true;
}

/** Returns true for an event or a part of one. Clients need almost nothing else of Socket.IO's protocol. */
const isEvent = ({ type, data }: Packet): boolean =>
  type === 'message' && data !== undefined && (typeof data !== 'string' || /^[25]/.test(data));
