import type pg from 'pg';
import type { Logger } from 'pino';
import { sleep } from '../../kit/back-off.ts';
import { Client } from './client.ts';
import { withSession } from './connection.ts';
import { type Semaphore, createSemaphore } from '../../kit/semaphore.ts';
import { within } from '../../kit/deadline.ts';

/** Work that only one process does at a time, until the signal aborts. */
export type LedWork = (signal: AbortSignal) => Promise<void>;

export interface Leading {
  isLeader(): boolean;
  /** Resolves once the work has ended and the lease is free. */
  stop(): Promise<void>;
}

/** One lease, as any process sees it. */
export interface LeaseStanding {
  name: string;
  /** True if this process holds it. */
  isHere: boolean;
  /** The process that holds it; null while none does. */
  nodeId: string | null;
  /** Time since it ended without a successor; 0 while a process holds it. */
  vacantSeconds: number;
}

/** Lets one process do a piece of work while others stand by. */
export interface Leases {
  /** Runs the work here whenever this process leads. Work that ends or fails is restarted after a pause. */
  lead(name: string, work: LedWork): Leading;
  /** Resolves with all leases that a process of this deployment has ever held. */
  standing(): Promise<LeaseStanding[]>;
  close(): Promise<void>;
}

/** The connection of the leases. They ask one after the other, because the driver is to have one query at a time. */
interface Session {
  client: pg.Client;
  turns: Semaphore;
}

/**
 * Term of a lease. A leader that cannot reach PostgreSQL is replaced after it, and gives up a second earlier
 * itself.
 */
export const TERM_MS = 6_000;
const MARGIN_MS = 1_000;
const RENEW_MS = 1_500;
const ASK_MS = 500;
const ANSWER_MS = 2_000;

const TAKE = `
  insert into leases as held (name, holder, backend, expires_at)
  values ($1, $2, pg_backend_pid(), clock_timestamp() + make_interval(secs => $3))
  on conflict (name) do update
    set holder = excluded.holder, backend = excluded.backend, expires_at = excluded.expires_at
    where held.holder = excluded.holder or held.expires_at < clock_timestamp()
      or not exists (select from pg_stat_activity where pid = held.backend)
  returning name`;

/** The row stays, to tell since when nobody leads. */
const RELEASE = `
  update leases set expires_at = least(expires_at, clock_timestamp()) where name = $1 and holder = $2`;

const STANDING = `
  select name, holder = $1 and expires_at > clock_timestamp() as "isHere",
    case when expires_at > clock_timestamp() then holder end as "nodeId",
    greatest(extract(epoch from clock_timestamp() - expires_at), 0)::float8 as "vacantSeconds"
  from leases order by name`;

/**
 * Creates leases as rows, taken on one connection. When a process dies, its connection ends, and the next one
 * leads within half a second; when it is cut off, after its term. Two may believe for a moment that they
 * lead: their work is fenced by checkpoints that are moved by compare-and-set.
 */
export function createPostgresLeases({
  url,
  nodeId: holder,
  log,
  begin = Promise.resolve(),
}: {
  url: string;
  /** The id of this process. */
  nodeId: string;
  log: Logger;
  /** No lease is taken before it is resolved. By default they are taken at once. */
  begin?: Promise<void>;
}): Leases {
  const closing = new AbortController();
  let session: Promise<Session> | undefined;

  function open(): Promise<Session> {
    const client = new Client({
      connectionString: withSession(url, { statementTimeoutMs: ANSWER_MS }),
      application_name: 'leases',
      connectionTimeoutMillis: ANSWER_MS,
      query_timeout: ANSWER_MS,
      keepAlive: true,
    });
    client.on('error', (err) => log.warn({ err }, 'the connection of the leases is lost'));
    const opened = client.connect().then(() => ({ client, turns: createSemaphore(1) }));
    const forget = () => {
      if (session === opened) session = undefined;
    };
    client.once('end', forget);
    opened.catch(forget);
    return opened;
  }

  async function ask<Row extends pg.QueryResultRow>(text: string, values: unknown[]): Promise<Row[]> {
    const held = (session ??= open());
    try {
      const { client, turns } = await held;
      const endsAt = performance.now() + ANSWER_MS;
      const query = () => {
        const left = { query_timeout: Math.max(1, endsAt - performance.now()) };
        return client.query<Row>({ text, values, ...left });
      };
      return (await turns.run(query, AbortSignal.timeout(ANSWER_MS))).rows;
    } catch (error) {
      // A connection that does not answer would block the lease for others although it is not renewed.
      if (session === held) session = undefined;
      void held.then(({ client }) => client.end()).catch(() => undefined);
      throw error;
    }
  }

  function lead(name: string, work: LedWork): Leading {
    const stopping = new AbortController();
    const signal = AbortSignal.any([stopping.signal, closing.signal]);
    let term: { end: AbortController; ended: Promise<void> } | undefined;
    let holdsUntil = 0;

    async function workOn(end: AbortSignal): Promise<void> {
      while (!end.aborted) {
        await work(end).catch((err: unknown) =>
          log.error({ err, lease: name }, 'could not run as leader; retrying'),
        );
        await sleep(end.aborted ? 0 : ASK_MS, end);
      }
    }

    async function resign(): Promise<void> {
      const last = term;
      term = undefined;
      last?.end.abort();
      await last?.ended;
    }

    async function run(): Promise<void> {
      const stopped = Promise.withResolvers<void>();
      signal.addEventListener('abort', () => stopped.resolve(), { once: true });
      await Promise.race([begin, stopped.promise]);
      if (signal.aborted) return;
      while (!signal.aborted) {
        const askedAt = performance.now();
        const holds = await ask(TAKE, [name, holder, TERM_MS / 1_000]).then(
          (rows) => rows.length === 1,
          (err: unknown) => {
            log.warn({ err, lease: name }, 'could not renew the lease');
            return undefined;
          },
        );
        if (holds) holdsUntil = askedAt + TERM_MS - MARGIN_MS;
        else if (holds === false) holdsUntil = 0;
        const leads = performance.now() < holdsUntil;
        if (leads && !term) {
          log.info({ lease: name }, 'leading');
          const end = new AbortController();
          term = { end, ended: workOn(end.signal) };
        } else if (!leads && term) {
          log.warn({ lease: name }, 'no longer leading');
          await resign();
        }
        await sleep(leads && holds ? RENEW_MS : ASK_MS, signal);
      }
      await resign();
      await ask(RELEASE, [name, holder]).catch(() => undefined);
    }

    const ended = run();
    return {
      isLeader: () => term !== undefined,
      stop: () => {
        stopping.abort();
        return ended;
      },
    };
  }

  return {
    lead,
    standing: () => ask<LeaseStanding>(STANDING, [holder]),
    async close() {
      closing.abort();
      const held = await session?.catch(() => undefined);
      await within(held?.client.end() ?? Promise.resolve(), ANSWER_MS, () => undefined);
    },
  };
}

/** Creates leases for a process that is alone on its database: it always leads. */
export function leadsAlone(log: Logger, nodeId: string): Leases {
  const led = new Set<string>();
  return {
    lead(name, work) {
      const end = new AbortController();
      const ended = work(end.signal)
        .catch((err: unknown) => log.error({ err, lease: name }, 'could not run as leader'))
        .finally(() => led.delete(name));
      led.add(name);
      return {
        isLeader: () => true,
        stop: () => {
          end.abort();
          return ended;
        },
      };
    },
    standing: async () => [...led].map((name) => ({ name, isHere: true, nodeId, vacantSeconds: 0 })),
    close: async () => {},
  };
}
