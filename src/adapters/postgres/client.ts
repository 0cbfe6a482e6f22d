import pg from 'pg';
import { type ServerUrl, hostsOf, withHost } from '../../kit/server-url.ts';

/** Time for a host to take a connection, and again to answer. */
const ANSWER_MS = 2_000;
const DEFAULT_PORT = 5_432;

/** The condition that a host must meet, by the value of `target_session_attrs`. */
const FITS: Record<string, string> = {
  any: 'true',
  'read-write': `current_setting('transaction_read_only') = 'off'`,
  primary: 'not pg_is_in_recovery()',
};

type Host = ServerUrl['hosts'][number];
interface Chosen extends Host {
  /** True for a server without TLS, where the URL only prefers it. */
  isPlain: boolean;
}

const wantedOf = (url: string) => new URL(url).searchParams.get('target_session_attrs') ?? undefined;
const prefersTls = (url: string) => new URL(url).searchParams.get('sslmode') === 'prefer';
const NO_TLS = 'The server does not support SSL connections';

/** Returns true for a URL with several hosts, and for one that tells how its host must be or only prefers TLS. */
const hasChoice = (url: string): boolean =>
  hostsOf(url).length > 1 || wantedOf(url) !== undefined || prefersTls(url);

/** No host of the URL answers and fits: SQLSTATE 08001, "unable to establish a connection". */
class NoHost extends Error {
  override readonly name = 'NoHost';
  readonly code = '08001';
}

/**
 * Resolves with the host of `url` that fits its `target_session_attrs`, by default `read-write` among several. All are
 * asked at once, so a host that is gone delays nothing, and the first that fits is taken. Rejects with what the database said
 * if one refused the login, and with an error that names all hosts otherwise.
 */
async function chooseHost(url: string): Promise<Chosen> {
  const hosts = hostsOf(url);
  const wanted = wantedOf(url) ?? (hosts.length > 1 ? 'read-write' : 'any');
  try {
    return await Promise.any(hosts.map((host) => ask(url, host, wanted)));
  } catch (error) {
    const { errors } = error as { errors: Error[] };
    const refused = errors.find((each) => each instanceof pg.DatabaseError);
    if (refused) throw refused;
    const names = hosts.map(({ host, port = DEFAULT_PORT }) => `${host} port ${port}`);
    const reasons = errors.map(({ message }, index) => `${names[index]}: ${message}`);
    throw new NoHost(`no host of PostgreSQL is ${wanted} (${reasons.join('; ')})`, { cause: error });
  }
}

async function ask(url: string, host: Host, wanted: string, isPlain = false): Promise<Chosen> {
  const client = new pg.Client({
    connectionString: withHost(isPlain ? url.replace('sslmode=prefer', 'sslmode=disable') : url, host),
    connectionTimeoutMillis: ANSWER_MS,
    query_timeout: ANSWER_MS,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ fits: boolean }>(`select ${FITS[wanted]} as fits`);
    if (!rows[0]!.fits) throw new Error(`is not ${wanted}`);
    return { ...host, isPlain };
  } catch (error) {
    const mayBePlain = prefersTls(url) && !isPlain && (error as Error).message === NO_TLS;
    if (!mayBePlain) throw error;
  } finally {
    void client.end().catch(() => undefined);
  }
  return ask(url, host, wanted, true);
}

/** A connection to PostgreSQL. Where its URL leaves a choice, `connect` makes it to the host that fits. */
export class Client extends pg.Client {
  readonly #url: string | undefined;
  #isEnded = false;

  constructor(config: pg.ClientConfig = {}) {
    super(config);
    this.#url = config.connectionString;
  }

  override connect(): Promise<this>;
  override connect(connected: (error?: Error) => void): void;
  override connect(connected?: (error?: Error) => void): Promise<this> | void {
    const connecting = this.#connect();
    if (!connected) return connecting;
    connecting.then(() => connected(), connected);
  }

  async #connect(): Promise<this> {
    if (this.#url !== undefined && hasChoice(this.#url)) await this.#choose(this.#url);
    await super.connect();
    return this;
  }

  async #choose(url: string): Promise<void> {
    try {
      const { host, port = DEFAULT_PORT, isPlain } = await chooseHost(url);
      if (this.#isEnded) throw new Error('Connection terminated');
      this.host = host;
      this.port = port;
      if (isPlain) for (const part of [this, this.connection]) Object.assign(part, { ssl: false });
    } catch (error) {
      // As after any connection that could not be made.
      process.nextTick(() => this.emit('end'));
      throw error;
    }
  }

  override end(): Promise<void>;
  override end(ended: (error: Error) => void): void;
  override end(ended?: (error: Error) => void): Promise<void> | void {
    this.#isEnded = true;
    return ended ? super.end(ended) : super.end();
  }
}

/** Runs the work on a connection and closes it. When the signal aborts, the connection is cut and the work fails. */
export async function untilAborted<T>(
  client: pg.Client,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  const cut = () => client.connection.stream.destroy();
  signal.addEventListener('abort', cut);
  try {
    signal.throwIfAborted();
    return await work();
  } finally {
    signal.removeEventListener('abort', cut);
    await client.end();
  }
}
