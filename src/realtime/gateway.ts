import type { Server as HttpServer, IncomingMessage } from 'node:http';
import type { Logger } from 'pino';
import { Server } from 'socket.io';
import { type ServerOptions, WebSocketServer } from 'ws';
import { within } from '../kit/deadline.ts';
import type { Authenticate, Revocations } from '../auth/session.ts';
import type { AccessKeys } from '../auth/tokens/access-keys.ts';
import type { Positions } from '../protocol/positions.ts';
import type { RateLimits } from '../protocol/rate-limits.ts';
import type { AggregateLoader } from '../commands/aggregate-cache.ts';
import type { Lookups } from '../commands/command.ts';
import type { HandleCommand } from '../commands/handle-command.ts';
import type { ReadMarkers, Reading } from '../commands/read-marker/move-read-marker.ts';
import type { EventStore, Position } from '../events/event-store.ts';
import type { GroupId, UserId } from '../events/ids.ts';
import type { Tracing } from '../kit/tracing.ts';
import { type Progress, caughtUp } from '../projections/projection.ts';
import { Addresses } from './connection/addresses.ts';
import { joinOnConnect } from './rooms/join-on-connect.ts';
import type { WhoIsOnline } from './presence/who-is-online.ts';
import type { NodeBus } from './cluster/node-bus.ts';
import type { FirstSeqs } from './connection/sync.ts';
import { clientEventHandlers, eventHandler } from './connection/client-events.ts';
import { clusterNode } from './cluster/cluster-node.ts';
import {
  type ChatServer,
  type ChatSocket,
  type User,
  closeConnections,
  endSession,
  sweepSessions,
} from './connection/connection.ts';
import { keepDoor, refusePolling, upgradeCheck } from './connection/door.ts';
import { frameWriter, wireUp } from './delivery/wire.ts';
import { handshake } from './connection/handshake.ts';
import { type HeadsOfThreads, distantHeads } from './rooms/distant-heads.ts';
import { headAnnouncer } from './rooms/heads.ts';
import { boundHints, createHints } from './presence/hints.ts';
import { loneNode } from './cluster/node.ts';
import { createMembership } from './rooms/membership.ts';
import type { OnlineRegistry } from './presence/online-registry.ts';
import { trackPresence } from './presence/presence.ts';
import { type NamedFiles, createNamedFiles } from './delivery/tell-members.ts';
import { type UnseenBy, createUnseenBy } from './delivery/unseen.ts';
import type { Delivery } from './delivery/delivery.ts';
import { groupsAmong, userRoom } from './rooms/rooms.ts';
import { type RealtimeSettings, defaultSettings } from './settings.ts';
import { tellProfiles } from './presence/profile.ts';
import { type Deleted, type UnreadQueries, tellUnread } from './presence/unread.ts';
import { Users } from './presence/users.ts';
import type { Rooms } from '../queries/groups.ts';
import type { Profile } from '../queries/profile.ts';

export interface RealtimeMetrics {
  socketOpened(): void;
  /** `reason` is Socket.IO's. */
  socketClosed(reason: string): void;
  /** Counts the sockets that one event has been written to. */
  delivered(sockets: number): void;
  refused(code: string): void;
  slowConsumerCut(): void;
}

export interface GatewayDeps {
  httpServer: HttpServer;
  store: EventStore;
  handle: HandleCommand;
  lookups: Lookups;
  positions: Pick<Positions, 'epoch' | 'encode'>;
  loader: AggregateLoader;
  authenticate: Authenticate;
  revocations: Revocations;
  accessKeys: Pick<AccessKeys, 'find'>;
  rateLimits: RateLimits;
  queries: {
    roomsOfUser: (userId: UserId) => Promise<Rooms>;
    headsOfThreads: HeadsOfThreads;
    unseenBy: UnseenBy;
    namedFiles: NamedFiles;
    firstSeqs: (asked: {
      userId: UserId;
      groupIds: readonly GroupId[];
    }) => Promise<ReadonlyMap<GroupId, number | null>>;
    profileOf: (userId: UserId) => Promise<Profile | null>;
    isListed: (asked: { userId: UserId; groupId: GroupId }) => Promise<boolean>;
  } & UnreadQueries;
  progress: Pick<Progress, 'reached'>;
  readMarkers: ReadMarkers;
  metrics: RealtimeMetrics;
  tracing?: Tracing;
  log: Logger;
  newId: () => string;
  /** Returns the client's address behind the trusted proxies. */
  clientAddress: (request: IncomingMessage) => string;
  settings: Partial<RealtimeSettings>;
  /** The other nodes, if there may be some. Then a broadcaster on one node follows the log for all of them. */
  cluster?: { bus: NodeBus; registry: OnlineRegistry } | undefined;
}

export interface Gateway {
  /**
   * Starts the node. A lone node follows the log from here on. Sockets may connect earlier; they wait for the
   * start.
   */
  start(): Promise<void>;
  /** Refuses new sockets and makes the open ones reconnect elsewhere. */
  drain(): void;
  /** Closes all sockets. The HTTP server stays open. */
  close(): Promise<void>;
  /** Resolves with the users who have a socket, or had one here until a second ago. */
  online: WhoIsOnline['online'];
  /** See `WhereaboutsSource` of the notifications: shows which users have a socket, and what has arrived at it. */
  whereabouts: Pick<WhoIsOnline, 'look'>;
  announceRead(reading: Reading): void;
  /** The delivery for a broadcaster in this process. In a cluster it reaches all nodes. */
  delivery: Delivery;
  /** The position of the last event delivered; in a cluster, of the last in the log. */
  position(): Position | Promise<Position>;
}

const SWEEP_MS = 1_000;
/** Period over which the reconnects of clients are spread. */
const RECONNECT_WITHIN_MS = 10_000;
const CLOSE_MS = 1_000;

/**
 * Processes one frame of a connection in each turn of the event loop, so that a flood does not delay other
 * connections.
 */
class FrameByFrame extends WebSocketServer {
  constructor(options: ServerOptions) {
    super({ ...options, allowSynchronousEvents: false });
  }
}

/** Creates the Socket.IO server of one node, on an existing HTTP server. */
export function createGateway(deps: GatewayDeps): Gateway {
  const { store, loader, revocations, metrics, log } = deps;
  const { epoch } = deps.positions;
  const settings = { ...defaultSettings, ...deps.settings };
  const started = Promise.withResolvers<void>();
  const stopped = new AbortController();
  let isDraining = false;
  const addresses = new Addresses();

  const io: ChatServer = new Server(deps.httpServer, {
    path: '/socket.io',
    serveClient: false,
    transports: ['websocket'],
    allowUpgrades: false,
    wsEngine: FrameByFrame,
    perMessageDeflate: false,
    httpCompression: false,
    maxHttpBufferSize: 65_536,
    connectTimeout: 5_000,
    pingInterval: settings.pingIntervalMs,
    pingTimeout: 20_000,
    cookie: false,
    allowRequest: upgradeCheck(settings.allowedOrigins, addresses, deps.clientAddress),
    ...(deps.cluster && { adapter: deps.cluster.bus.adapter }),
  });
  refusePolling(io, settings.allowedOrigins);
  const wiring = wireUp(io, settings.maxUnsentBytes);
  const door = keepDoor({ io, wiring, addresses, clientAddress: deps.clientAddress });

  const users = new Users(settings.maxSocketsPerUser);
  const writeFrames = frameWriter(io.of('/'), metrics.delivered);
  const write = boundHints(io, users, writeFrames);
  const membership = createMembership(loader, store);
  const heads = headAnnouncer(io, write, store, epoch);
  const { progress, cluster } = deps;
  const { roomsOfUser, headsOfThreads } = deps.queries;
  const distant = distantHeads({ users, store, progress, headsOfThreads, epoch });
  const firstSeqs: FirstSeqs = async (groupIds, userId) => {
    await caughtUp(progress, await store.head(), ['conversations']);
    return deps.queries.firstSeqs({ userId, groupIds });
  };
  const unseenBy = createUnseenBy(deps);
  const { signal } = stopped;
  const here = {
    io,
    users,
    store,
    epoch,
    loader,
    log,
    reenter: (user: User, from: Position) => rooms.reenter(user, from),
    deleted: (message: Deleted) => unread.deleted(message),
    renamed: tellProfiles({ io, queries: deps.queries, progress, write: writeFrames, signal, log }),
  };
  const node = cluster
    ? clusterNode({ ...here, ...cluster, write, progress, roomsOfUser, heads, settings, signal })
    : loneNode({
        ...{ ...here, unseenBy, namedFiles: createNamedFiles(deps), write, writeFrames },
        ...(deps.tracing && { tracing: deps.tracing }),
      });
  const { delivery, tracker, whoIsOnline } = node;
  const hints = createHints({ send: node.send, loader, queries: deps.queries, log });
  const unread = tellUnread({
    ...{ io, queries: deps.queries, store, progress, online: whoIsOnline.online },
    ...{ send: node.send, write, signal, log },
  });
  const announceRead = (reading: Reading, from?: string): void => {
    void hints.read(reading, from);
    unread.moved(reading);
  };
  const presence = trackPresence({
    ...{ io, users, hints, log },
    ...{ queries: deps.queries, isElsewhere: node.isElsewhere },
  });

  const handlers = clientEventHandlers({ ...deps, membership, hints, announceRead, firstSeqs, unseenBy });
  const handleEvent = eventHandler({ ...deps, handlers, refused: metrics.refused });
  const rooms = joinOnConnect({
    store,
    epoch,
    progress,
    roomsOfUser,
    introduce: distant.introduce,
    position: node.position,
    subscribed: node.subscribed,
    arrived(socket) {
      presence.arrived(socket);
      tracker.arrived(socket);
    },
    log,
  });

  io.use(
    handshake({
      ...deps,
      door,
      users,
      admits: node.admits,
      wiring,
      refusals: settings.refusals,
      isDraining: () => isDraining,
      refused: metrics.refused,
    }),
  );

  io.on('connection', (socket: ChatSocket) => {
    const { user, wire, leftRooms } = socket.data;
    const { adapter } = io.of('/');
    metrics.socketOpened();
    users.arrived(user, socket);
    tracker.opened(socket);
    void socket.join(userRoom(user.id));
    wire.onCut = () => {
      metrics.slowConsumerCut();
      for (const groupId of groupsAmong(socket.rooms)) leftRooms.add(groupId);
      adapter.delAll(socket.id);
    };
    socket.onAny((...packet: unknown[]) => handleEvent(socket, packet));
    socket.on('disconnecting', (reason) => {
      metrics.socketClosed(reason);
      user.sockets.delete(socket);
      tracker.gone(socket);
      node.changed(user.id);
      presence.leaving(socket);
    });
    // A connection without its socket has no purpose, and no limit would count it.
    socket.on('disconnect', () => socket.conn.close());
    void started.promise.then(() => rooms.arrive(socket));
  });
  revocations.onRevoked((sessionId) => endSession(io, sessionId));

  function every(ms: number, work: () => void | Promise<void>): void {
    const timer = setInterval(() => {
      Promise.try(work).catch((err: unknown) =>
        log.warn({ err }, 'periodic realtime work failed; it runs again'),
      );
    }, ms).unref();
    stopped.signal.addEventListener('abort', () => clearInterval(timer));
  }

  return {
    async start() {
      await node.start(every);
      started.resolve();
      every(SWEEP_MS, () => sweepSessions(io, deps, settings.accessTokenSeconds));
      every(SWEEP_MS, tracker.sweep);
      every(settings.headsIntervalMs, heads.announce);
      every(settings.headsIntervalMs, distant.announce);
    },

    drain() {
      isDraining = true;
      for (const socket of io.of('/').sockets.values())
        socket.emit('draining', { reconnectInMs: Math.floor(Math.random() * RECONNECT_WITHIN_MS) });
    },

    async close() {
      isDraining = true;
      stopped.abort();
      const gone = Promise.all(
        [...io.of('/').sockets.values()].map(
          (socket) => new Promise<void>((resolve) => socket.conn.once('close', () => resolve())),
        ),
      );
      closeConnections(io);
      await within<unknown>(gone, CLOSE_MS, () => undefined);
      io.engine.close();
      await node.close();
    },

    online: whoIsOnline.online,
    whereabouts: whoIsOnline,
    announceRead,
    delivery,
    position: node.position,
  };
}
