import { readFileSync } from 'node:fs';
import { Redis, type RedisOptions } from 'ioredis';
import type { Logger } from 'pino';
import { backOffMs, jittered } from '../../kit/back-off.ts';
import { within } from '../../kit/deadline.ts';
import { parseServerUrl } from '../../kit/server-url.ts';

const SENTINEL_PORT = 26_379;
const CONNECT_DEADLINE_MS = 2_000;
const PING_MS = 1_000;
/** Longest wait for an answer while a request waits. */
export const ANSWER_MS = 500;
/** Silence after which the connection counts as dead and is reopened. */
const SILENCE_MS = 5_000;
const BACK_OFF_MS = { first: 100, most: 2_000 };
const CLOSE_DEADLINE_MS = 500;

export interface RedisServer {
  url: string;
  /** A file with the authorities that are trusted, in place of those that Node trusts. */
  caFile?: string | undefined;
  log: Logger;
}

/** A connection to Redis that is reopened, for ever, whenever it breaks. */
export interface RedisLink {
  /**
   * Its commands reject when the connection breaks, and at once while there is none: nothing is queued, and
   * nothing is sent twice. Where Redis hangs, rejecting takes 5 s. `usable` asks the link first, and `inTime`
   * limits the wait.
   */
  client: Redis;
  /** Returns the reason why it cannot be used now; undefined while Redis answers. */
  failure(): string | undefined;
  /** Calls back whenever Redis answers again after a failure. */
  onReturn(listener: () => void): void;
  close(): Promise<void>;
}

/** Redis is out of reach, or does not answer. */
export class RedisUnavailable extends Error {
  override readonly name = 'RedisUnavailable';
}

/**
 * Returns the client of a link on which Redis answers. Throws `RedisUnavailable`. Call it before each
 * command: commands of the same turn of the event loop are then sent in one write, which is most of the cost
 * of a command.
 */
export function usable({ client, failure }: Pick<RedisLink, 'client' | 'failure'>): Redis {
  const reason = failure();
  if (reason !== undefined) throw new RedisUnavailable(reason);
  const { stream } = client;
  if (stream.writableCorked === 0) {
    stream.cork();
    setImmediate(() => stream.uncork());
  }
  return client;
}

/**
 * Resolves with the answer of a command. Rejects with `RedisUnavailable` once `milliseconds` have passed. A
 * process that was busy itself reads what has arrived first; otherwise a slow process would never get an
 * answer.
 */
export const inTime = <T>(answer: Promise<T>, milliseconds: number): Promise<T> =>
  within(answer, milliseconds, async () => {
    await new Promise(setImmediate);
    throw new RedisUnavailable(`no answer within ${milliseconds} ms`);
  });

/** Returns the address in the form of ioredis, from a URL that the settings accept. `caFile` has the trusted authorities. */
export function redisAddress(url: string, caFile?: string): Omit<RedisOptions, 'replyMapping'> {
  const { scheme, username, password, hosts, path, query } = parseServerUrl(url)!;
  const isSentinel = scheme.endsWith('+sentinel');
  const [name, database] = isSentinel ? path.slice(1).split('/') : [undefined, path.slice(1)];
  const db = Number((scheme !== 'unix' && database) || query.get('db'));
  const family = query.get('family');
  const common = {
    db,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(family !== null && { family: Number(family) }),
  };
  const ca = caFile === undefined ? {} : { ca: readFileSync(caFile) };
  const tls = scheme.startsWith('rediss') ? ca : undefined;
  if (scheme === 'unix') return { path, ...common };
  if (!isSentinel) return { ...hosts[0]!, ...common, ...(tls && { tls }) };
  const sentinels = hosts.map(({ host, port = SENTINEL_PORT }) => ({ host, port }));
  return {
    ...{ sentinels, name: name!, ...common },
    ...(tls && { tls, enableTLSForSentinelMode: true, sentinelTLS: tls }),
  };
}

/**
 * Keeps a connection until it is closed; `name` is shown to the operator of Redis. The pauses between
 * attempts grow from 0.1 s to 2 s, with jitter, so that the nodes of a cluster do not all reconnect at once.
 */
export function keepRedisLink({ url, caFile, name, log }: RedisServer & { name: string }): RedisLink {
  const client = new Redis({
    ...redisAddress(url, caFile),
    connectionName: name,
    disableClientInfo: true,
    connectTimeout: CONNECT_DEADLINE_MS,
    socketTimeout: SILENCE_MS,
    // For the answer of a sentinel, connecting to it included.
    sentinelCommandTimeout: CONNECT_DEADLINE_MS,
    disconnectTimeout: 200,
    retryStrategy: (attempt) => jittered(backOffMs(BACK_OFF_MS, attempt)),
    // The client could not be closed during a pause of its own between two rounds of all sentinels.
    sentinelRetryStrategy: () => {
      failed('no sentinel names a primary');
      return null;
    },
    // Commands queued for a connection would come too late, and commands sent again may run twice.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    // The client would do so without handling rejections, which would end the process.
    autoResubscribe: false,
  });
  const listeners: (() => void)[] = [];
  let failure: string | undefined = 'not connected yet';
  let lastError: string | undefined;
  let isReported = false;
  let isClosing = false;

  function failed(reason: string): void {
    failure = reason;
    if (isReported || isClosing) return;
    isReported = true;
    log.warn({ link: name, reason }, 'Redis is unreachable; retrying');
  }

  function answered(): void {
    lastError = undefined;
    if (failure === undefined) return;
    failure = undefined;
    if (isReported) log.info({ link: name }, 'Redis is reachable again');
    isReported = false;
    for (const listener of listeners) listener();
  }

  async function ping(): Promise<void> {
    if (client.status !== 'ready') return;
    const { stream } = client;
    try {
      await inTime(client.ping(), ANSWER_MS);
      if (client.stream === stream && client.status === 'ready') answered();
    } catch {
      if (client.stream === stream && client.status === 'ready') failed('it does not answer');
    }
  }

  // Keep only the message: an error of the server contains the command, which may be the one with the
  // password.
  client.on('error', (error: NodeJS.ErrnoException) => (lastError = error.message || error.code));
  client.on('ready', answered);
  client.on('close', () => failed(lastError ?? 'the connection was closed'));
  // The client gives up when connecting itself throws, as it does after a round of all sentinels.
  client.on('end', () => {
    if (isClosing) return;
    const pause = jittered(BACK_OFF_MS.most);
    setTimeout(() => void (isClosing || client.connect().catch(() => undefined)), pause).unref();
  });
  const pings = setInterval(() => void ping(), PING_MS).unref();

  return {
    client,
    failure: () => failure,
    onReturn: (listener) => void listeners.push(listener),
    async close() {
      isClosing = true;
      clearInterval(pings);
      const ended = new Promise<void>((resolve) => client.once('end', resolve));
      // Between two attempts no connection is open that could end.
      const isOpen = client.status !== 'reconnecting' && client.status !== 'end';
      client.disconnect();
      if (isOpen) await within(ended, CLOSE_DEADLINE_MS, () => undefined);
    },
  };
}
