import { readFile } from 'node:fs/promises';
import { type Channel, type ChannelModel, connect } from 'amqplib';
import type { Logger } from 'pino';
import { backOffMs, jittered, sleep } from '../../kit/back-off.ts';
import { within } from '../../kit/deadline.ts';
import { reasonOf } from '../../kit/reason.ts';

const HEARTBEAT_SECONDS = 10;
const OPEN_DEADLINE_MS = 5_000;
const CLOSE_DEADLINE_MS = 2_000;
const BACK_OFF_MS = { first: 100, most: 10_000 };

/** A connection to RabbitMQ that is reopened, with everything set up on it, whenever it breaks. */
export interface RabbitmqLink {
  /** Returns the reason why it cannot be used now; undefined while it works. */
  failure(): string | undefined;
  /** Closes the connection for good, cleanly if the broker still answers. */
  close(): Promise<void>;
}

export interface RabbitmqServer {
  url: string;
  /** A file with the authorities that are trusted, in place of those that Node trusts. */
  caFile?: string | undefined;
  log: Logger;
}

export interface RabbitmqLinkOptions extends RabbitmqServer {
  /** The name for the broker's operator and the log. */
  name: string;
  /** Sets up everything on a new connection. Calls `onBroken` when any of it fails later. */
  setUp: (connection: ChannelModel, onBroken: (reason: string) => void) => Promise<void>;
  /** Called when everything that was set up is gone. */
  tearDown: (reason: string) => void;
}

/**
 * Keeps a connection until it is closed. Each attempt has 5 s, and the pauses between them grow from 0.1 s to
 * 10 s, with jitter, so that the nodes of a cluster do not all reconnect at once. Resolves after the first
 * attempt, successful or not; never rejects.
 */
export async function keepRabbitmqLink(options: RabbitmqLinkOptions): Promise<RabbitmqLink> {
  const { name, log } = options;
  const closing = new AbortController();
  let failure: string | undefined = 'not connected yet';
  let blocked: string | undefined;
  let firstTried = (): void => undefined;
  const first = new Promise<void>((resolve) => (firstTried = resolve));

  /** Resolves with the reason why the connection ended. */
  async function connectOnce(): Promise<string> {
    const connection = await openWithin(options);
    const broken = Promise.withResolvers<string>();
    // Without a listener, each of these would be thrown from a listener of the socket, and end the process.
    connection.on('error', (err: Error) => broken.resolve(err.message));
    connection.on('close', () => broken.resolve('the connection was closed'));
    connection.on('handler-error', (err: Error) => broken.resolve(err.message));
    connection.on('blocked', (reason: string) => (blocked = `RabbitMQ takes no messages: ${reason}`));
    connection.on('unblocked', () => (blocked = undefined));
    const onClosing = () => broken.resolve('closed');
    closing.signal.addEventListener('abort', onClosing);
    try {
      const settled = options.setUp(connection, broken.resolve).then(() => undefined);
      const reason = await inTime(Promise.race([settled, broken.promise]), OPEN_DEADLINE_MS, 'the set-up');
      if (reason !== undefined) throw new Error(reason);
      if (failure !== undefined) log.info({ link: name }, 'connected to RabbitMQ');
      failure = undefined;
      firstTried();
      return await broken.promise;
    } finally {
      closing.signal.removeEventListener('abort', onClosing);
      blocked = undefined;
      await inTime(connection.close(), CLOSE_DEADLINE_MS, 'closing').catch(() => undefined);
    }
  }

  async function keepConnected(): Promise<void> {
    for (let failures = 0; !closing.signal.aborted; failures += 1) {
      const wasConnected = () => failure === undefined;
      let reason: string;
      try {
        reason = await connectOnce();
      } catch (error) {
        reason = reasonOf(error);
      }
      if (wasConnected()) failures = 0;
      if (!closing.signal.aborted && reason !== failure)
        log.warn({ link: name, reason }, 'RabbitMQ is unreachable; retrying');
      failure = reason;
      options.tearDown(reason);
      firstTried();
      await sleep(jittered(backOffMs(BACK_OFF_MS, failures + 1)), closing.signal);
    }
  }

  const kept = keepConnected();
  await first;
  return {
    failure: () => failure ?? blocked,
    async close() {
      closing.abort();
      await kept;
    },
  };
}

async function openWithin({
  url,
  caFile,
  name,
}: Pick<RabbitmqLinkOptions, 'url' | 'caFile' | 'name'>): Promise<ChannelModel> {
  const address = new URL(url);
  address.searchParams.set('heartbeat', String(HEARTBEAT_SECONDS));
  const opening = connect(address.href, {
    timeout: OPEN_DEADLINE_MS,
    noDelay: true,
    keepAlive: true,
    clientProperties: { connection_name: name },
    ...(caFile !== undefined && { ca: [await readFile(caFile)] }),
  });
  try {
    return await inTime(opening, OPEN_DEADLINE_MS, 'connecting');
  } catch (error) {
    // It may open late, and would then never be closed.
    void opening.then((late) => late.close()).catch(() => undefined);
    throw error;
  }
}

const inTime = <T>(promise: Promise<T>, milliseconds: number, what: string): Promise<T> =>
  within(promise, milliseconds, () => {
    throw new Error(`${what} took more than ${milliseconds} ms`);
  });

/** Reports why a channel broke. Without a listener, each of these would be thrown, and end the process. */
export function onChannelBroken(channel: Channel, onBroken: (reason: string) => void): void {
  channel.on('error', (err: Error) => onBroken(err.message));
  channel.on('close', () => onBroken('the channel was closed'));
  channel.on('handler-error', (err: Error) => onBroken(err.message));
}
