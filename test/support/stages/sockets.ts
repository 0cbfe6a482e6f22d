import { randomUUID } from 'node:crypto';
import { type Server as HttpServer, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import pino from 'pino';
import { type Socket, io } from 'socket.io-client';
import type { PerMinute } from '../../../src/protocol/rate-limits.ts';
import { AuthenticationFailed, type Session } from '../../../src/auth/session.ts';
import { createAccessKeys } from '../../../src/auth/tokens/access-keys.ts';
import { type SigningKey, loadSigningKey, makeSigningKey } from '../../../src/auth/tokens/signing-keys.ts';
import { AggregateLoader } from '../../../src/commands/aggregate-cache.ts';
import type { Lookups, MessageFacts } from '../../../src/commands/command.ts';
import { commandHandler } from '../../../src/commands/handle-command.ts';
import type { ConversationEvent, DomainEvent } from '../../../src/events/domain-event.ts';
import type { EventStore } from '../../../src/events/event-store.ts';
import { ERASED } from '../../../src/events/personal-text.ts';
import type { FileId, GroupId, MessageId, UserId } from '../../../src/events/ids.ts';
import {
  type Stream,
  accountStream,
  chatGroupStream,
  conversationStream,
} from '../../../src/events/streams.ts';
import { deriveId, newId } from '../../../src/kit/uuids.ts';
import { createOneAtATime } from '../../../src/commands/one-at-a-time.ts';
import { type Gateway, type GatewayDeps, createGateway } from '../../../src/realtime/gateway.ts';
import type {
  Ack,
  ClientEvent,
  ClientToServerEvents,
  ServerToClientEvents,
} from '../../../src/realtime/connection/protocol.ts';
import { withDeclaredRefusals } from '../language/declared-refusals.ts';
import { createInMemoryEventStore } from '../language/in-memory-event-store.ts';
import { positionsIn } from './positions.ts';
import { rateLimitsOf } from './rate-limits.ts';
import { until } from '../../../tools/until.ts';
import type { Rooms } from '../../../src/queries/groups.ts';
import type { FileOfGroup } from '../../../src/queries/named-files.ts';
import type { Profile } from '../../../src/queries/profile.ts';
import type { Unread, UnreadOfUser } from '../../../src/queries/unread.ts';
import type { UnreadQueries } from '../../../src/realtime/presence/unread.ts';

const DEADLINE_MS = 5_000;

type ServerEvent = keyof ServerToClientEvents;
type PayloadOf<N extends ServerEvent> = Parameters<ServerToClientEvents[N]>[0];
type Heard = { [N in ServerEvent]: { name: N; payload: PayloadOf<N> } }[ServerEvent];

/** A client that records all events it receives, in order. */
export class TestClient {
  readonly socket: Socket<ServerToClientEvents, ClientToServerEvents>;
  readonly heard: Heard[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    socket.onAny((name, payload) => this.heard.push({ name, payload } as Heard));
  }

  /** The payloads received under a name. */
  all<N extends ServerEvent>(name: N): PayloadOf<N>[] {
    return this.heard.flatMap((each) => (each.name === name ? [each.payload as PayloadOf<N>] : []));
  }

  /** Resolves with the first matching payload under a name, once it has arrived. */
  async hears<N extends ServerEvent>(
    name: N,
    fits: (payload: PayloadOf<N>) => boolean = () => true,
  ): Promise<PayloadOf<N>> {
    await until(() => this.all(name).some(fits), `${name} to arrive`);
    return this.all(name).find(fits)!;
  }

  /** The same socket, for events outside the protocol. */
  get any(): Socket {
    return this.socket as Socket;
  }

  ask<N extends ClientEvent>(name: N, payload: unknown): Promise<Ack<N>> {
    return this.any.timeout(DEADLINE_MS).emitWithAck(name, payload);
  }

  /** Sends an event and resolves with its ack. Rejects when it is refused. */
  async asks<N extends ClientEvent>(name: N, payload: unknown): Promise<Extract<Ack<N>, { ok: true }>> {
    const answer = await this.ask(name, payload);
    if (!answer.ok) throw new Error(`${name}: ${JSON.stringify(answer.error)}`);
    return answer as Extract<Ack<N>, { ok: true }>;
  }

  send(groupId: string, text: string) {
    return this.asks('sendMessage', { groupId, clientMsgId: randomUUID(), text });
  }
}

export interface World {
  store: EventStore;
  gateway: Gateway;
  url: string;
  httpServer: HttpServer;
  deps: GatewayDeps;
  /** The recorded metrics. */
  metered: { delivered: number; refused: string[]; cut: number; sockets: number };
  /** The keys of access tokens. The last one signs. */
  keys: SigningKey[];
  token(userId: string, change?: Partial<Session>): string;
  revoke(sessionId: string): void;
  /** Appends events as if a command had decided them. */
  record(stream: Stream, ...events: DomainEvent[]): Promise<void>;
  group(admin: string, ...members: string[]): Promise<GroupId>;
  join(groupId: GroupId, userId: string): Promise<void>;
  remove(groupId: GroupId, userId: string): Promise<void>;
  /** Connects a client of a user, and waits until it is in all its rooms. */
  client(userId: string, options?: { token?: string }): Promise<TestClient>;
  connect(auth: object, options?: object): TestClient;
  stop(): Promise<void>;
}

type Synced = Extract<Ack<'sync'>, { ok: true }>['groups'][number];
type Whole = Exclude<Synced, { reset: true }>;

/** Returns what `sync` answered about a group that is not reset. */
export function whole(group: Synced | undefined): Whole {
  if (!group || 'reset' in group) throw new Error(`not synchronized: ${JSON.stringify(group)}`);
  return group;
}

export const makeKey = () => loadSigningKey(makeSigningKey('ES256'));

export const newUser = () => randomUUID() as UserId;

/** A message as the read model shows it, folded from the log. */
async function messageFacts(store: EventStore, groupId: GroupId, messageId: MessageId) {
  let facts: MessageFacts | undefined;
  const events = (await store.readStream(conversationStream(groupId))) as unknown as (ConversationEvent & {
    revision: number;
  })[];
  for (const { type, data, revision } of events) {
    if (data.messageId !== messageId) continue;
    const changedSeq = revision + 1;
    if (type === 'MessageSent')
      facts = {
        groupId,
        senderId: data.senderId,
        changedSeq,
        isDeleted: false,
        hasFiles: data.fileIds.length > 0,
        text: data.text,
        reactions: {},
      };
    else if (facts && type === 'MessageEdited') facts = { ...facts, changedSeq, text: data.text };
    else if (facts && type === 'MessageDeleted')
      facts = { ...facts, changedSeq, isDeleted: true, text: null };
    else if (facts && (type === 'ReactionAdded' || type === 'ReactionRemoved')) {
      const others = (facts.reactions[data.emoji] ?? []).filter((userId) => userId !== data.userId);
      const users = type === 'ReactionAdded' ? [...others, data.userId] : others;
      facts = { ...facts, changedSeq, reactions: { ...facts.reactions, [data.emoji]: users } };
    }
  }
  return facts;
}

/** The files among some that a message names, folded from the log. */
export async function named(store: EventStore, files: readonly FileOfGroup[]): Promise<[FileId, UserId[]][]> {
  const found = new Map<MessageId, readonly FileId[]>();
  for (const { type, data } of await store.readAll({ after: 0, limit: 1_000_000 })) {
    if (type === 'MessageSent') found.set(data.messageId, data.fileIds);
    if (type === 'MessageDeleted') found.delete(data.messageId);
  }
  const all = new Set([...found.values()].flat());
  return files.flatMap(({ fileId }) => (all.has(fileId) ? [[fileId, []]] : []));
}

/** The groups of a user, folded from the log. */
async function groupsIn(store: EventStore, userId: UserId): Promise<GroupId[]> {
  const found = new Set<GroupId>();
  for (const { type, data } of await store.readAll({ after: 0, limit: 1_000_000 })) {
    if (type === 'ChatGroupCreated' && data.adminId === userId) found.add(data.groupId);
    if (type === 'MemberJoined' && data.userId === userId) found.add(data.groupId);
    if ((type === 'MemberLeft' || type === 'MemberRemoved') && data.userId === userId)
      found.delete(data.groupId);
  }
  return [...found];
}

/** The name and the groups of a user, folded from the log. */
async function profileIn(store: EventStore, userId: UserId): Promise<Profile | null> {
  let displayName: string | undefined;
  for (const { type, data } of await store.readStream(accountStream(userId))) {
    if (type === 'ProfileChanged') ({ displayName } = data);
    if (type === 'AccountErased') displayName = ERASED;
  }
  return displayName === undefined ? null : { displayName, groupIds: await groupsIn(store, userId) };
}

/** What users have not read, folded from the log. */
function unreadIn(store: EventStore, markers: ReadonlyMap<string, number>): UnreadQueries {
  async function unreadOfOne(groupId: GroupId, userId: UserId): Promise<Unread> {
    const readSeq = markers.get(groupId + userId) ?? 0;
    const unread = new Set<MessageId>();
    const events = await store.readStream(conversationStream(groupId));
    for (const { type, data, revision } of events) {
      if (type === 'MessageSent' && data.senderId !== userId && revision + 1 > readSeq)
        unread.add(data.messageId);
      if (type === 'MessageDeleted') unread.delete(data.messageId);
    }
    return { groupId, headSeq: events.length, readSeq, unreadCount: unread.size };
  }
  async function unreadOf({ userId, groupIds }: { userId: UserId; groupIds: readonly GroupId[] }) {
    const own = await groupsIn(store, userId);
    return Promise.all(
      groupIds.filter((groupId) => own.includes(groupId)).map((groupId) => unreadOfOne(groupId, userId)),
    );
  }
  return {
    unreadOf,
    async unreadWithout({ userIds, messageIds }) {
      const found: UnreadOfUser[] = [];
      for (const { type, data, revision } of await store.readAll({ after: 0, limit: 1_000_000 })) {
        if (type !== 'MessageSent' || !messageIds.includes(data.messageId)) continue;
        for (const userId of userIds)
          if (data.senderId !== userId && revision + 1 > (markers.get(data.groupId + userId) ?? 0))
            found.push({ userId, ...(await unreadOfOne(data.groupId, userId)) });
      }
      return found;
    },
    async unreadTotal(userId) {
      const all = await unreadOf({ userId, groupIds: await groupsIn(store, userId) });
      return all.reduce((sum, { unreadCount }) => sum + unreadCount, 0);
    },
  };
}

/** Starts a gateway with the real command handler on a log in memory, on a free port. */
export async function createWorld({
  queries: other,
  ...change
}: Omit<Partial<GatewayDeps>, 'queries'> & {
  queries?: Partial<GatewayDeps['queries']>;
} & Partial<PerMinute> = {}): Promise<World> {
  const store = change.store ?? createInMemoryEventStore();
  const loader = new AggregateLoader(store, new Map());
  const sessions = new Map<string, Session>();
  const keys = [await makeKey()];
  const revoked = new Set<string>();
  const revocationListeners: ((sessionId: string) => void)[] = [];
  const markers = new Map<string, number>();
  const clients: TestClient[] = [];
  const metered = { delivered: 0, refused: [] as string[], cut: 0, sockets: 0 };
  const httpServer = createServer((_request, response) => response.writeHead(404).end());

  const lookups: Lookups = {
    message: (groupId, messageId) => messageFacts(store, groupId, messageId),
  };
  const handler = commandHandler({
    store,
    loader,
    lookups,
    automate: async () => 0,
    causes: [],
    oneAtATime: createOneAtATime(),
    newId,
    deriveId,
    now: () => new Date(),
  });
  const handle = withDeclaredRefusals(handler);

  async function roomsOfUser(userId: UserId): Promise<Rooms> {
    const groups = await groupsIn(store, userId);
    return { rooms: groups.map((groupId) => ({ groupId, kind: 'job' })), hasMore: false };
  }

  const deps: GatewayDeps = {
    httpServer,
    store,
    loader,
    handle,
    lookups,
    authenticate: async (token) => {
      const session = sessions.get(token);
      if (!session) throw new AuthenticationFailed('TOKEN_INVALID');
      if (session.expiresAt <= Date.now()) throw new AuthenticationFailed('TOKEN_EXPIRED');
      return session;
    },
    revocations: {
      isRevoked: (sessionId) => revoked.has(sessionId),
      onRevoked: (listener) => revocationListeners.push(listener),
      staleMs: () => 0,
    },
    accessKeys: createAccessKeys({ ring: { accepted: () => keys, look: async () => {} } }),
    rateLimits: rateLimitsOf(change),
    queries: {
      roomsOfUser,
      firstSeqs: async () => new Map(),
      unseenBy: async () => new Map(),
      namedFiles: async (files) => new Map(await named(store, files)),
      headsOfThreads: async () => [],
      ...unreadIn(store, markers),
      profileOf: (userId) => profileIn(store, userId),
      isListed: async () => true,
      ...other,
    },
    progress: { reached: async () => true },
    readMarkers: {
      async move(groupId, { userId }, seq) {
        const before = markers.get(groupId + userId) ?? 0;
        markers.set(groupId + userId, Math.max(before, seq));
        return { seq: Math.max(before, seq), unreadCount: 0, moved: seq > before };
      },
    },
    metrics: {
      socketOpened: () => (metered.sockets += 1),
      socketClosed: () => void (metered.sockets -= 1),
      delivered: (sockets) => (metered.delivered += sockets),
      refused: (code) => metered.refused.push(code),
      slowConsumerCut: () => (metered.cut += 1),
    },
    log: pino({ level: process.env['TEST_LOG_LEVEL'] ?? 'silent' }),
    newId,
    clientAddress: ({ headers }) => String(headers['x-address'] ?? '127.0.0.1'),
    positions: positionsIn(store),
    settings: {},
    ...change,
  };
  const gateway = createGateway(deps);
  await gateway.start();
  await new Promise<void>((resolve) => httpServer.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(httpServer.address() as AddressInfo).port}`;

  async function record(stream: Stream, ...events: DomainEvent[]) {
    await store.append({
      stream,
      events: events.map((event) => ({ id: randomUUID(), event })),
      expected: 'any',
      occurredAt: new Date().toISOString(),
      metadata: { actorId: null, correlationId: randomUUID(), causationId: null },
    });
  }

  const world: World = {
    store,
    gateway,
    url,
    httpServer,
    deps,
    metered,
    keys,
    record,

    token(userId, session = {}) {
      const token = randomUUID();
      sessions.set(token, {
        actor: { userId: userId as UserId, role: 'applicant' },
        sessionId: randomUUID(),
        kid: keys.at(-1)!.kid,
        expiresAt: Date.now() + 600_000,
        ...session,
      });
      return token;
    },

    revoke(sessionId) {
      revoked.add(sessionId);
      for (const listener of revocationListeners) listener(sessionId);
    },

    async group(admin, ...members) {
      const groupId = randomUUID() as GroupId;
      const data = { groupId, jobId: null, name: 'A group', adminId: admin as UserId };
      await record(chatGroupStream(groupId), { type: 'ChatGroupCreated', data });
      for (const member of members) await world.join(groupId, member);
      return groupId;
    },

    join: (groupId, userId) =>
      record(chatGroupStream(groupId), {
        type: 'MemberJoined',
        data: { groupId, userId: userId as UserId, role: 'member' },
      }),

    remove: (groupId, userId) =>
      record(chatGroupStream(groupId), {
        type: 'MemberRemoved',
        data: { groupId, userId: userId as UserId },
      }),

    connect(auth, options = {}) {
      const client = new TestClient(
        io(url, { transports: ['websocket'], auth, forceNew: true, reconnection: false, ...options }),
      );
      clients.push(client);
      return client;
    },

    async client(userId, { token = world.token(userId) } = {}) {
      const client = world.connect({ token });
      await until(() => client.socket.connected, 'the connection');
      const { rooms } = await roomsOfUser(userId as UserId);
      await until(() => client.all('joinRoom').length >= rooms.length, 'the rooms');
      return client;
    },

    async stop() {
      for (const { socket } of clients) socket.disconnect();
      await gateway.close();
      httpServer.closeAllConnections();
      await new Promise((resolve) => httpServer.close(resolve));
    },
  };
  return world;
}
