import {
  type Answer,
  type ClientEvent,
  type ConnectionState,
  type Payload,
  type ReconnectMs,
  type ServerEvent,
  type ServerEvents,
  createConnection,
} from './connection.ts';
import { type Conversation, createConversation } from './conversation.ts';
import { type Directory, createDirectory } from './directory.ts';
import { type ConversationEvent, type Follower, type News, createFollower } from './follower.ts';
import { type Group, type Inbox, type Thread, type Unread, createInbox } from './inbox.ts';
import { usualOutbox } from './indexed-db.ts';
import { type Members, createMembers } from './members.ts';
import type { Known, NamedFile } from './message.ts';
import { type Outbox, type OutboxStore, createOutbox } from './outbox.ts';
import { type Presence, createPresence } from './presence.ts';
import type { paths } from './protocol.ts';
import { type Rest, createRest, dataOf, ownWrites } from './rest.ts';
import {
  type Credentials,
  type GivenTokens,
  type SessionStorage,
  type Tokens,
  type User,
  createSession,
  givenTokens,
  userIdOf,
  usualStorage,
} from './session.ts';
import { type Owned, type Store, createStore } from './store.ts';
import { usualTabs } from './tabs.ts';
import { type NewFile, type Upload, upload } from './upload.ts';

export interface ChatOptions {
  /** Of the server, such as `https://chat.example.com`. Default: the page's own. */
  url?: string;
  /** Tokens that somebody else issues, such as the board's backend. Without them, `logIn` makes a session. */
  tokens?: GivenTokens;
  /** Whose they are. Default: what the first token says, once there is one. */
  userId?: string;
  /** Where the session is kept. Default: `localStorage`, or the memory of a process. */
  storage?: SessionStorage;
  /** Where messages wait. Default: IndexedDB, or the memory of a process. */
  outbox?: OutboxStore;
  /** With the token of a service client: the id of the user for whom it calls. Sockets do not know this. */
  actAs?: string;
  /** Default: 300 ms, and 5 s after many failures. */
  reconnectMs?: ReconnectMs;
  /** Default: the `fetch` of the platform. */
  fetch?: typeof fetch;
}

type ThreadQuery = Omit<
  NonNullable<paths['/v1/jobs/{jobId}/threads']['get']['parameters']['query']>,
  'cursor' | 'limit'
>;

export interface EventsOptions {
  /** Returns the seq after which a group is told. Default: its head, so that only what comes is told. */
  after?: (group: News) => number;
  /** The log was restored to an earlier state: what was told of the group is void, and it is told anew. */
  onReset?: (groupId: string) => void;
}

export interface ChatClient {
  /** How the connection stands. */
  connection: Store<ConnectionState>;
  /** Who is logged in with `logIn`. */
  user: Store<User | undefined>;
  /** Calls of REST, typed and repeated while waiting helps. Throws `ChatProblem`. */
  rest: Rest;
  logIn: (credentials: Credentials) => Promise<User>;
  /** Ends the session and forgets what waits in the outbox. */
  logOut: () => Promise<void>;
  /**
   * Connects, and comes back after every failure until `close`. After `logIn` it is open already. For auditors and admins,
   * who are in no conversation, it stays closed.
   */
  open: () => void;
  /** Disconnects. What waits in the outbox stays there. */
  close: () => void;

  groups: () => Inbox<Group>;
  threads: (jobId: string, query?: ThreadQuery) => Inbox<Thread>;
  messages: (groupId: string) => Conversation;
  members: (groupId: string) => Members;
  /** The number of unread messages in all groups; undefined until the server has said it. */
  unread: Store<number | undefined>;
  presence: Presence['online'];
  typing: Presence['typing'];
  setTyping: Presence['setTyping'];
  /** The names of people, by their ids: of everybody that the caller shares a group with. */
  people: Directory<string>;

  /** Queues a message and returns at once; `outbox.pending` and the conversation show it. */
  send: Outbox['send'];
  outbox: Pick<Outbox, 'pending' | 'cancel' | 'retry'>;
  upload: (file: NewFile) => Upload;
  /** Moves the read marker. Calls for one group are merged while one is on its way. */
  markRead: (groupId: string, seq: number) => Promise<void>;
  edit: (groupId: string, messageId: string, text: string) => Promise<void>;
  remove: (groupId: string, messageId: string) => Promise<void>;
  react: (groupId: string, messageId: string, emoji: string) => Promise<void>;
  unreact: (groupId: string, messageId: string, emoji: string) => Promise<void>;

  /**
   * Tells every event of every group that the user is in, in order and once, whatever happens to the connection. Returns
   * the function that ends it.
   */
  events: (listener: (event: ConversationEvent) => void, options?: EventsOptions) => () => void;
  /** Listens to a push of the server, which may be lost. */
  on: <N extends ServerEvent>(name: N, listener: (payload: ServerEvents[N]) => void) => () => void;
  /** Sends a socket event and resolves with its ack, once. Throws `ChatProblem`. */
  ask: <N extends ClientEvent>(name: N, payload: Payload<N>) => Promise<Answer<N>>;
  /** The same, repeated until there is an answer, also over a reconnect. */
  insist: <N extends ClientEvent>(name: N, payload: Payload<N>, signal?: AbortSignal) => Promise<Answer<N>>;
  /** Resolves once the connection is open. */
  opened: (signal?: AbortSignal) => Promise<void>;
  /** Drops the connection as a network does; it comes back by itself. For tests, and for "try now". */
  breakOff: () => void;
}

const PAGE = 50;
/** A conversation that nobody looks at any more is forgotten. */
const MOST_IDLE = 20;

/** Auditors and admins are in no conversation, so there is nothing to connect for. */
const converses = (user: User | undefined): boolean => user?.role === 'company' || user?.role === 'applicant';

const unknownFile = (fileId: string): NamedFile => ({
  ...{ fileId, name: '', contentType: 'application/octet-stream', size: 0 },
  ...{ status: 'pending', hasThumbnail: false },
});

/** Creates a client of one user. */
export function createChatClient(options: ChatOptions = {}): ChatClient {
  const { url = globalThis.location?.origin ?? '', storage = usualStorage(), actAs } = options;
  const request: typeof fetch = options.fetch ?? ((...asked) => globalThis.fetch(...asked));
  const session = createSession(url, storage, request);
  const { tokens: given } = options;
  let ownId = given === undefined ? session.user.getSnapshot()?.id : (options.userId ?? userIdIn(given));
  const issued: Tokens = given === undefined ? session : givenTokens(given);
  const tokens: Tokens = {
    async get(spent) {
      const token = await issued.get(spent);
      ownId ??= userIdOf(token);
      return token;
    },
  };
  const writes = ownWrites();
  const rest = createRest({ url, tokens, request, actAs }, writes);
  const connection = createConnection({
    ...{ url, tokens, reconnectMs: options.reconnectMs },
    learnPosition: (position) => writes.learn(position),
  });
  const follower = createFollower(connection);
  const shown = new Set<string>();
  const outbox = createOutbox({
    connection,
    store: options.outbox ?? usualOutbox(),
    tabs: usualTabs(),
    isShown: (groupId) => shown.has(groupId),
  });
  const presence = createPresence(connection, () => ownId);

  const people = createDirectory<string>(async (ids) => {
    const { data } = await dataOf(rest.GET('/v1/users', { params: { query: { ids } } }));
    return data.map(({ userId, displayName }) => [userId, displayName] as const);
  });
  const files = createDirectory<NamedFile>(async (ids) => {
    const { data } = await dataOf(rest.GET('/v1/files', { params: { query: { ids } } }));
    return data.map(({ groupId: _, url: __, expiresAt: ___, reason: ____, thumbnail: _____, ...file }) => [
      file.fileId,
      { ...file, hasThumbnail: file.thumbnailUrl !== undefined },
    ]);
  });
  const known: Known & { changes: Pick<Store<unknown>, 'subscribe'>[] } = {
    nameOf: (userId) => people.get(userId) ?? '',
    file: (fileId) => files.get(fileId) ?? unknownFile(fileId),
    changes: [people, files],
  };

  const unread = createStore<number | undefined>(undefined);
  const unreadListeners = new Set<(unread: Unread) => void>();
  const openListeners = new Set<() => void>();
  const fileListeners = new Set<(fileId: string) => void>();
  const listen =
    <F>(listeners: Set<F>) =>
    (listener: F) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    };

  let wasOpen = false;
  connection.state.subscribe(({ status }) => {
    if (status !== 'open') return;
    resume();
    // The lists have just been loaded when it opens for the first time, and are older when it comes back.
    if (wasOpen) for (const listener of [...openListeners]) listener();
    wasOpen = true;
  });
  connection.on('unreadChanged', (changed) => {
    if (changed.total !== undefined) unread.set(changed.total);
    for (const listener of [...unreadListeners]) listener(changed);
  });
  connection.on('messageSent', ({ actorId }) => {
    const count = unread.getSnapshot();
    if (count !== undefined && actorId !== ownId) unread.set(count + 1);
  });
  connection.on('profileChanged', ({ userId, displayName }) => people.learn([[userId, displayName]]));
  connection.on('fileStatusChanged', ({ fileId }) => {
    files.refresh([fileId]);
    for (const listener of [...fileListeners]) listener(fileId);
  });

  const conversations = keepRecent((groupId: string) => {
    const conversation = createConversation({
      ...{ groupId, follower, known, pending: outbox.pending, heard: outbox.heard },
      async load(part) {
        const query = { ...part, limit: PAGE };
        const page = await dataOf(
          rest.GET('/v1/groups/{groupId}/messages', { params: { path: { groupId }, query } }),
        );
        people.learn(page.data.map(({ sender }) => [sender.id, sender.displayName]));
        files.learn(
          page.data.flatMap((message) => message.files.map((file) => [file.fileId, file] as const)),
        );
        return page;
      },
    });
    return { ...conversation, subscribe: whileShown(groupId, conversation.subscribe) };
  });

  /** A socket enters the rooms of the latest threads only, and of the others on request. */
  const whileShown =
    (groupId: string, subscribe: Conversation['subscribe']): Conversation['subscribe'] =>
    (listener) => {
      shown.add(groupId);
      void enter(groupId);
      const leave = subscribe(listener);
      return () => {
        leave();
        if (!conversations.isUsed(groupId)) shown.delete(groupId);
      };
    };

  async function enter(groupId: string): Promise<void> {
    if (connection.state.getSnapshot().status !== 'open' || follower.isInRoom(groupId)) return;
    await connection.insist('joinRoom', { groupId }).catch(() => undefined);
  }
  openListeners.add(() => shown.forEach((groupId) => void enter(groupId)));

  const members = keepRecent((groupId: string) =>
    createMembers({
      ...{
        groupId,
        follower,
        nameOf: known.nameOf,
        names: people,
        on: connection.on,
        onOpen: listen(openListeners),
      },
      async load(cursor) {
        const query = { limit: 100, ...(cursor !== undefined && { cursor }) };
        const page = await dataOf(
          rest.GET('/v1/groups/{groupId}/members', { params: { path: { groupId }, query } }),
        );
        people.learn(page.data.map(({ userId, displayName }) => [userId, displayName]));
        presence.learn(page.data);
        return page;
      },
    }),
  );

  const inboxDeps = {
    ...{ follower, known, ownId: () => ownId },
    ...{ onUnread: listen(unreadListeners), onOpen: listen(openListeners) },
  };
  const learnSenders = (rows: readonly { lastMessage: Group['lastMessage'] }[]) =>
    people.learn(
      rows.flatMap(({ lastMessage: last }) =>
        last ? [[last.sender.id, last.sender.displayName] as const] : [],
      ),
    );

  const groups = createInbox<Group>({
    ...inboxDeps,
    async load(cursor) {
      const query = { limit: PAGE, ...(cursor !== undefined && { cursor }) };
      const page = await dataOf(rest.GET('/v1/groups', { params: { query } }));
      learnSenders(page.data);
      return page;
    },
    retell(group, event) {
      if (event.type === 'MemberJoined') return { ...group, memberCount: group.memberCount + 1 };
      if (event.type === 'MemberLeft' || event.type === 'MemberRemoved')
        return { ...group, memberCount: group.memberCount - 1 };
      if (event.type === 'GroupClosed') return { ...group, status: 'closed' };
      return event.type === 'GroupReopened' ? { ...group, status: 'open' } : group;
    },
  });

  const threads = keepRecent((asked: string) => {
    const { jobId, ...filter } = JSON.parse(asked) as ThreadQuery & { jobId: string };
    return createInbox<Thread>({
      ...inboxDeps,
      async load(cursor) {
        const query = { ...filter, limit: PAGE, ...(cursor !== undefined && { cursor }) };
        const page = await dataOf(
          rest.GET('/v1/jobs/{jobId}/threads', { params: { path: { jobId }, query } }),
        );
        learnSenders(page.data);
        people.learn(page.data.map(({ applicant }) => [applicant.userId, applicant.displayName]));
        return page;
      },
      retell(thread, event) {
        if (event.type !== 'MessageSent') return thread;
        const waitingOn = event.data.senderId === thread.applicant.userId ? 'company' : 'applicant';
        // The other side has been waiting since the first message without an answer.
        const isSame = waitingOn === thread.waitingOn;
        return { ...thread, waitingOn, waitingSince: isSame ? thread.waitingSince : event.occurredAt };
      },
    });
  });

  function resume(): void {
    if (ownId !== undefined) void outbox.resume(ownId);
  }

  let unwatch: (() => void) | undefined;
  function start(): void {
    unwatch ??= session.watch();
    if (given === undefined && !converses(session.user.getSnapshot())) return;
    resume();
    connection.open();
  }

  function stop(): void {
    connection.close();
    outbox.stop();
    unread.set(undefined);
  }

  /** Nothing that one user has seen is there for the next one. */
  function become(userId: string | undefined): void {
    if (given !== undefined || userId === ownId) return;
    stop();
    outbox.release();
    ownId = userId;
    people.forget();
    files.forget();
    for (const lists of [conversations, members, threads]) lists.restart();
    groups.restart();
    if (userId !== undefined) start();
  }
  // Another tab may have logged in or out.
  session.user.subscribe((user) => become(user?.id));

  const wanted = new Map<string, number>();
  const marking = new Map<string, Promise<void>>();
  async function mark(groupId: string): Promise<void> {
    for (let seq = wanted.get(groupId); seq !== undefined; seq = wanted.get(groupId)) {
      wanted.delete(groupId);
      const { unreadCount } = await connection.insist('markRead', { groupId, seq });
      for (const listener of [...unreadListeners])
        listener({ groupId, readSeq: seq, unreadCount, headSeq: Infinity });
    }
  }

  const command = async <N extends 'editMessage' | 'deleteMessage' | 'addReaction' | 'removeReaction'>(
    name: N,
    payload: Payload<N>,
  ) => void (await connection.insist(name, payload));

  return {
    ...{ connection: connection.state, user: session.user, rest, people, unread, groups: () => groups },
    async logIn(credentials) {
      const user = await session.logIn(credentials);
      become(user.id);
      start();
      return user;
    },
    async logOut() {
      stop();
      await Promise.all([session.logOut(), outbox.discard()]);
    },
    open: start,
    close() {
      stop();
      unwatch?.();
      unwatch = undefined;
    },
    threads: (jobId, query = {}) => threads(JSON.stringify({ jobId, ...query })),
    messages: conversations,
    members,
    presence: presence.online,
    typing: presence.typing,
    setTyping: presence.setTyping,
    send: outbox.send,
    outbox: { pending: outbox.pending, cancel: outbox.cancel, retry: outbox.retry },
    upload: (file) => upload(file, { rest, request, onFileChanged: listen(fileListeners) }),
    markRead(groupId, seq) {
      wanted.set(groupId, Math.max(seq, wanted.get(groupId) ?? 0));
      const running = marking.get(groupId) ?? mark(groupId).finally(() => marking.delete(groupId));
      marking.set(groupId, running);
      return running;
    },
    edit: (groupId, messageId, text) => command('editMessage', { groupId, messageId, text }),
    remove: (groupId, messageId) => command('deleteMessage', { groupId, messageId }),
    react: (groupId, messageId, emoji) => command('addReaction', { groupId, messageId, emoji }),
    unreact: (groupId, messageId, emoji) => command('removeReaction', { groupId, messageId, emoji }),
    events: (listener, asked) => tellEvents(follower, listener, asked),
    on: connection.on,
    ask: connection.ask,
    insist: connection.insist,
    opened: connection.opened,
    breakOff: connection.breakOff,
  };
}

const userIdIn = (tokens: GivenTokens) => (typeof tokens === 'string' ? userIdOf(tokens) : undefined);

/** Follows every group as soon as it is known, even if a list or a conversation follows it already. */
function tellEvents(
  follower: Follower,
  listener: (event: ConversationEvent) => void,
  { after = ({ headSeq }) => headSeq, onReset }: EventsOptions = {},
): () => void {
  const told = new Map<string, { seq: number; leave: (() => void) | undefined }>();
  const meet = (group: News) => {
    const { groupId } = group;
    const place = told.get(groupId) ?? { seq: after(group), leave: undefined };
    if (place.leave) return;
    told.set(groupId, place);
    place.leave = follower.follow(
      groupId,
      { seq: place.seq },
      {
        take(event) {
          if (event.seq <= place.seq) return;
          place.seq = event.seq;
          listener(event);
        },
        reset() {
          place.seq = 0;
          onReset?.(groupId);
        },
        // Whoever comes back missed what was said meanwhile, as far as they may read it.
        gone: () => (place.leave = undefined),
      },
    );
  };
  follower.known().forEach(meet);
  const leaveAll = follower.onNews(meet);
  return () => {
    leaveAll();
    for (const { leave } of told.values()) leave?.();
  };
}

/** Returns the function that makes something for a key once, and forgets what was not asked for lately. */
function keepRecent<T extends Store<unknown> & Owned>(
  make: (key: string) => T,
): ((key: string) => T) & Owned & { isUsed: (key: string) => boolean } {
  const recent = new Map<string, { made: T; listeners: number }>();
  function find(key: string): T {
    const known = recent.get(key);
    if (known) return known.made;
    const entry = { made: make(key), listeners: 0 };
    const { subscribe } = entry.made;
    entry.made = {
      ...entry.made,
      subscribe(listener: (value: unknown) => void) {
        entry.listeners += 1;
        const leave = subscribe(listener);
        let isLeft = false;
        return () => {
          if (isLeft) return;
          isLeft = true;
          entry.listeners -= 1;
          leave();
        };
      },
    };
    recent.set(key, entry);
    for (const [other, { listeners }] of recent) {
      if (recent.size <= MOST_IDLE) break;
      if (listeners === 0 && other !== key) recent.delete(other);
    }
    return entry.made;
  }
  return Object.assign(find, {
    isUsed: (key: string) => (recent.get(key)?.listeners ?? 0) > 0,
    restart: () => recent.forEach(({ made }) => made.restart()),
  });
}
