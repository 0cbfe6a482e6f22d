import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from 'pino';
import type {
  Append,
  EventStoreUnavailable,
  Position,
  Recorded,
  Verdict,
} from '../../../events/event-store.ts';
import type { Seal, TextSeal } from '../../../events/personal-text.ts';
import type { Stream } from '../../../events/streams.ts';
import { jsons, plain, texts } from '../../../kit/array-parameters.ts';
import { backOffMs } from '../../../kit/back-off.ts';
import {
  type Answer,
  AppendBatch,
  type WaitingAppend,
  prepare,
  recorded,
  sealInOrder,
  unavailable,
} from '../../event-log/batch.ts';
import { Client } from '../client.ts';
import { columnTypes, withSession } from '../connection.ts';
import { KnownRevisions } from './known-revisions.ts';

/** Settings of the session that calls append_events(). */
export const APPEND_SETTINGS = {
  synchronous_commit: 'on',
  // Plans are made while the tables are small and kept while they grow. Only reading the end of an index is
  // right for both.
  enable_seqscan: 'off',
  enable_bitmapscan: 'off',
  enable_sort: 'off',
  plan_cache_mode: 'force_generic_plan',
};

const parameters = (count: number) => Array.from({ length: count }, (_, n) => `$${n + 1}`).join(', ');

/** Judges a batch and stores what it accepts, with the values of `toArguments`. */
const APPEND_EVENTS = `select * from append_events(${parameters(21)})`;
/** Stores a batch that is judged, with the values of `toPlacedArguments`. */
const APPEND_KNOWN = `select append_known(${parameters(9)})`;

type Arguments = (string | number | Buffer | null)[];

/**
 * Returns the arguments of append_events(), see 0043-known-revisions.sql. As text, they would cost
 * more to write in pg and to parse in PostgreSQL than storing the events, so long or quoted values use
 * PostgreSQL's binary form.
 */
function toArguments(
  appends: readonly WaitingAppend[],
  known: Pick<KnownRevisions, 'head' | 'of'>,
): Arguments {
  const streams: string[] = [];
  const expected: string[] = [];
  const counts: number[] = [];
  const before: number[] = [];
  const streamBefore: number[] = [];
  const guardOf: number[] = [];
  const guardStreams: string[] = [];
  const guardRevisions: number[] = [];
  const guardAbout: string[] = [];
  const guardKnown: (number | string)[] = [];
  const streamKnown: (number | string)[] = [];
  const eventOf: number[] = [];
  const eventNth: number[] = [];
  const ofStream = new Map<string, number>();

  for (const { append, events } of appends) {
    const { stream } = append;
    const earlier = ofStream.get(stream) ?? 0;
    ofStream.set(stream, earlier + events.length);
    before.push(eventOf.length);
    streamBefore.push(earlier);
    counts.push(events.length);
    streams.push(stream);
    streamKnown.push(known.of(stream) ?? 'null');
    expected.push(append.expected === 'any' ? 'null' : String(append.expected));
    for (const guard of append.guards ?? []) {
      guardOf.push(streams.length);
      guardStreams.push(guard.stream);
      guardRevisions.push(guard.revision);
      guardAbout.push(guard.about ?? 'null');
      guardKnown.push(known.of(guard.stream) ?? 'null');
    }
    events.forEach((_, nth) => {
      eventOf.push(streams.length);
      eventNth.push(nth);
    });
  }
  const columns = columnsOf(appends);
  return [
    ...[texts(streams), plain(expected), plain(counts), plain(before), plain(streamBefore)],
    ...[plain(guardOf), texts(guardStreams), plain(guardRevisions)],
    ...[plain(eventOf), plain(eventNth), columns.streams, ...columns.stored],
    ...[...columns.contents, columns.occurred, plain(guardAbout)],
    ...[known.head ?? null, plain(streamKnown), plain(guardKnown)],
  ];
}

/** Returns the arguments of append_known(), see 0044-append-known.sql. `head` is the end of the log before the batch. */
function toPlacedArguments(
  appends: readonly WaitingAppend[],
  head: Position,
  places: readonly Answer[],
): Arguments {
  const revisions = appends.flatMap(({ events }, index) => {
    const first = places[index]![2]!;
    return events.map((_, nth) => first + nth);
  });
  const { streams, stored, contents, occurred } = columnsOf(appends);
  return [head, streams, plain(revisions), ...stored, ...contents, occurred];
}

/** Returns the columns of a batch's events, an array of PostgreSQL for each. */
function columnsOf(appends: readonly WaitingAppend[]) {
  const streams: string[] = [];
  const ids: string[] = [];
  const types: string[] = [];
  const versions: number[] = [];
  const datas: string[] = [];
  const metadatas: string[] = [];
  const occurred: string[] = [];
  for (const { append, events, metadata, occurredAt } of appends)
    for (const { id, type, storedV, json } of events) {
      streams.push(append.stream);
      ids.push(id);
      types.push(type);
      versions.push(storedV);
      datas.push(json);
      metadatas.push(metadata);
      occurred.push(occurredAt);
    }
  return {
    streams: texts(streams),
    stored: [plain(ids), plain(types), plain(versions)],
    contents: [jsons(datas), jsons(metadatas)],
    occurred: plain(occurred),
  };
}

/** With this many waiting, an idle lane sends half and keeps half ready, so that client and server both stay busy. */
const HALF_FROM = 16;
const MAX_WAITING = 10_000;
const MAX_WAITING_SIZE = 64 * 1024 * 1024;
const BATCH_DEADLINE_MS = 4_000;
/** Age from which a batch counts as stuck. */
const STUCK_MS = 1_500;
const BACK_OFF_MS = { first: 50, most: 1_000 };

export interface BatchFigures {
  appends: number;
  events: number;
  durationMs: number;
}

interface LaneSettings {
  url: string;
  log: Logger;
  textSeal: TextSeal;
  /** Resolves with the events in the log with these ids, for duplicates. */
  findAll: (ids: string[]) => Promise<Recorded[]>;
  /** Called with the stored events of a batch, in order, in the tick in which its appends resolve. */
  onStored: (events: Recorded[]) => void;
  /** Least time between the starts of two batches; appends that arrive meanwhile go together. Default 0. */
  paceMs?: number | undefined;
  onBatch?: ((figures: BatchFigures) => void) | undefined;
}

interface Lane {
  append(append: Append): Promise<Verdict>;
  /** Connects. Rejects with `EventStoreUnavailable` when PostgreSQL is out of reach. */
  start(): Promise<void>;
  /**
   * Returns the reason why an append could not succeed now, as far as is known; undefined if there is none.
   * After a failure it finds out with an empty batch, and by taking new pages from the disk.
   */
  failure(): string | undefined;
  /** Returns true for the process id of the backend that serves the lane's connection. */
  isServedBy(backend: number): boolean;
  /** Takes no more appends, stores those that wait, and disconnects. */
  close(): Promise<void>;
}

/** Creates a lane with group commit: while one batch commits on the lane's own connection, the next collects. */
export function createLane(options: LaneSettings): Lane {
  const { url, log, textSeal, findAll, onStored, onBatch, paceMs = 0 } = options;
  const sealFor = sealInOrder(textSeal);
  const queue: AppendBatch[] = [];
  const known = new KnownRevisions();
  let waiting = 0;
  let waitingSize = 0;
  let running: Promise<void> | undefined;
  let isClosed = false;
  let current: { client: pg.Client; ready: Promise<unknown> } | undefined;
  let failures = 0;
  let retryAt = 0;
  let begunAt = -Infinity;
  let isUnderway = false;
  let failure: Error | undefined;
  let wantsProof = false;

  async function connect(): Promise<pg.Client> {
    if (!current && Date.now() < retryAt) throw new Error('PostgreSQL is out of reach');
    current ??= open();
    const { client, ready } = current;
    try {
      await ready;
    } catch (error) {
      disconnect(client, error);
      throw error;
    }
    failures = 0;
    return client;
  }

  function open(): { client: pg.Client; ready: Promise<unknown> } {
    const client = new Client({
      connectionString: withSession(url, {
        statementTimeoutMs: BATCH_DEADLINE_MS - 500,
        settings: APPEND_SETTINGS,
      }),
      application_name: 'event log appends',
      connectionTimeoutMillis: 2_000,
      query_timeout: BATCH_DEADLINE_MS,
      keepAlive: true,
      types: columnTypes,
    });
    client.on('error', (error) => disconnect(client, error));
    return { client, ready: client.connect() };
  }

  function disconnect(client: pg.Client, error: unknown): void {
    if (client !== current?.client) return;
    current = undefined;
    known.forget();
    retryAt = failures === 0 ? 0 : Date.now() + backOffMs(BACK_OFF_MS, failures);
    failures += 1;
    log.warn({ err: error }, 'lost the append connection; reconnecting');
    client.end().catch(() => undefined);
  }

  function enqueue(
    append: Append,
    seal: Seal,
    resolve: WaitingAppend['resolve'],
    reject: WaitingAppend['reject'],
  ): void {
    if (isClosed) throw unavailable('the event store is closed');
    if (waiting >= MAX_WAITING || waitingSize >= MAX_WAITING_SIZE)
      throw unavailable('too many appends are waiting');
    const prepared = { ...prepare(append, seal), resolve, reject };
    waiting += 1;
    waitingSize += prepared.size;
    if (!queue.at(-1)?.add(prepared)) {
      const batch = new AppendBatch();
      batch.add(prepared);
      queue.push(batch);
    }
    running ??= run();
  }

  /**
   * Sends batches. The next batch is sent before the callers of the last one are answered, so that PostgreSQL
   * works meanwhile.
   */
  async function run(): Promise<void> {
    let settleLast: (() => void) | undefined;
    do {
      // Appends of the same turn of the event loop may go together.
      if (!settleLast) await new Promise(setImmediate);
      const restMs = begunAt + paceMs - performance.now();
      if (restMs > 0) {
        settleLast?.();
        settleLast = undefined;
        await pause(restMs);
      }
      const isFlowing = paceMs > 0 || settleLast !== undefined;
      const isNext = queue.length > 0 || wantsProof;
      wantsProof = false;
      const underway = isNext ? flush(queue.length > 0 ? nextAppends(isFlowing) : []) : undefined;
      settleLast?.();
      settleLast = await underway;
    } while (settleLast || queue.length > 0);
    running = undefined;
  }

  function nextAppends(isFlowing: boolean): WaitingAppend[] {
    const batch = queue[0]!;
    const appends = batch.take(
      isFlowing ? batch.appends.length : Math.max(HALF_FROM, Math.ceil(batch.appends.length / 2)),
    );
    if (batch.appends.length === 0) queue.shift();
    waiting -= appends.length;
    for (const { size } of appends) waitingSize -= size;
    return appends;
  }

  /** Resolves, once the outcome is known, with a function that answers the callers. */
  async function flush(appends: WaitingAppend[]): Promise<() => void> {
    const started = performance.now();
    begunAt = started;
    isUnderway = true;
    let client: pg.Client | undefined;
    try {
      client = await connect();
      if (appends.length === 0) await client.query('select prove_writing()');
      const rows = await store(client, appends);
      const durationMs = performance.now() - started;
      known.learn(appends, rows);
      failure = undefined;
      return () => {
        if (appends.length === 0) return;
        const events = settle(appends, rows);
        onBatch?.({ appends: appends.length, events, durationMs });
      };
    } catch (error) {
      return await fail(appends, error, client);
    } finally {
      isUnderway = false;
    }
  }

  /** Stores a batch and resolves with the answers of append_events(), which is asked when it alone can tell them. */
  async function store(client: pg.Client, appends: WaitingAppend[]): Promise<Answer[]> {
    const call = async <R extends unknown[]>(name: string, text: string, values: Arguments) => {
      const { rows } = await client.query<R>({ name, text, values, rowMode: 'array' } as pg.QueryArrayConfig);
      return rows;
    };
    const { head } = known;
    const places = known.placesOf(appends);
    if (head !== undefined && places) {
      const [stored] = await call('append_known', APPEND_KNOWN, toPlacedArguments(appends, head, places));
      if (stored![0] === true) return places;
    }
    return call<Answer>('append_events', APPEND_EVENTS, toArguments(appends, known));
  }

  function settle(appends: WaitingAppend[], answers: Answer[]): number {
    const stored: Recorded[] = [];
    appends.forEach((waitingAppend, index) => {
      const answer = answers[index]!;
      const [outcome, , revision, stream] = answer;
      if (outcome === 'appended') {
        const events = recorded(waitingAppend, answer);
        stored.push(...events);
        waitingAppend.resolve({ outcome, events });
      } else if (outcome === 'conflict') {
        waitingAppend.resolve({ outcome, stream: stream as Stream, actual: revision! });
      } else {
        const ids = waitingAppend.events.map(({ id }) => id);
        waitingAppend.resolve(findAll(ids).then((events) => ({ outcome: 'duplicate', events })));
      }
    });
    if (stored.length > 0) onStored(stored);
    return stored.length;
  }

  async function fail(appends: WaitingAppend[], error: unknown, client?: pg.Client): Promise<() => void> {
    known.forget();
    const state = error instanceof pg.DatabaseError ? (error.code ?? '') : '';
    if (/^2[23]/.test(state)) {
      // One append has values that PostgreSQL cannot store. Sent one by one, only that one fails.
      if (appends.length === 1) return () => appends[0]!.reject(error as Error);
      for (const single of appends) (await flush([single]))();
      return () => undefined;
    }
    if (client && !state) disconnect(client, error);
    failure = error as Error;
    return () => rejectAll(appends, unavailable('the append failed, or its outcome is unknown', error));
  }

  /** Rejects the appends, and everything queued behind them. Their callers learn of it at once, and may repeat. */
  function rejectAll(appends: WaitingAppend[], error: EventStoreUnavailable): void {
    for (const { reject } of appends) reject(error);
    for (const batch of queue.splice(0)) batch.reject(error);
    waiting = 0;
    waitingSize = 0;
  }

  return {
    append: (append) =>
      new Promise((resolve, reject) => {
        const sealing = sealFor(append);
        // Nothing to wait for costs no turn.
        if (!(sealing instanceof Promise)) enqueue(append, sealing, resolve, reject);
        else sealing.then((seal) => enqueue(append, seal, resolve, reject)).catch(reject);
      }),
    async start() {
      await connect().catch((error: unknown) => {
        throw unavailable('PostgreSQL is out of reach', error);
      });
    },
    failure() {
      if (failure && !isClosed) {
        wantsProof = true;
        running ??= run();
        return failure.message;
      }
      const isStuck = isUnderway && performance.now() - begunAt > STUCK_MS;
      return isStuck ? `a batch has been under way for more than ${STUCK_MS} ms` : undefined;
    },
    // pg's types lack the process id that the server gave the connection.
    isServedBy: (backend) => (current?.client as { processID?: number } | undefined)?.processID === backend,
    async close() {
      isClosed = true;
      await running;
      const client = current?.client;
      current = undefined;
      await client?.end();
    },
  };
}
