import { setImmediate as turn } from 'node:timers/promises';
import type { Logger } from 'pino';
import { backOffMs, keepRunning } from '../../../kit/back-off.ts';
import {
  type EventStore,
  EventStoreUnavailable,
  type Position,
  type Recorded,
} from '../../../events/event-store.ts';
import { type Tracing, inSpanOfEach, noTracing } from '../../../kit/tracing.ts';
import type { Projection } from '../../../projections/projection.ts';
import { type ProjectingConnection, handledBy, isOvertaken } from './projections.ts';

const BATCH = 1_000;
/** On a calm server a read model shows what has happened at once, also to queries that name no position. */
const MANY = 8;
/** Delay of saving a checkpoint that moved in memory over batches without events for the projection. */
const SAVE_MS = 250;
const POISON_RETRY_MS = 10_000;
const BACK_OFF_MS = { first: 100, most: 5_000 };

export interface ProjectionHealth {
  name: string;
  position: Position;
  /** The position of the event that it cannot handle. */
  stoppedAt?: Position;
  error?: string;
}

export interface FollowLog {
  store: EventStore;
  projection: Projection;
  /** Opens a connection that writes the projection's tables. */
  connect: (onLost: (error: Error) => void) => Promise<ProjectingConnection>;
  tracing?: Tracing | undefined;
  log: Logger;
  signal: AbortSignal;
  /** Time that a batch waits for more of its kind. Default 0. */
  lingerMs?: number | undefined;
  /** Called after each batch of many events, with its duration. Resolves when the next may begin. */
  rest?: ((tookMs: number, signal: AbortSignal) => Promise<void> | undefined) | undefined;
  /** Called after every step; `handled` is the number of events that concerned the projection. */
  onProgress: (name: string, position: Position, handled: number) => void;
  onHealth: (health: ProjectionHealth) => void;
}

/** An event that fails on every attempt. */
class Poisoned extends Error {
  override readonly name = 'Poisoned';
  readonly position: Position;

  constructor(position: Position, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.position = position;
  }
}

/**
 * Returns true for errors that pass by themselves: of connections, restarts, locks, full disks, by SQLSTATE
 * class.
 */
function willPass(error: unknown): boolean {
  if (error instanceof EventStoreUnavailable || isOvertaken(error)) return true;
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (typeof code === 'string') return /^(?:08|25|40|53|55|57|58)...$|^E[A-Z]{3}/.test(code);
  return /connection|timeout/i.test(String(message));
}

/**
 * Keeps one read model up with the log until the signal aborts. It survives restarts of PostgreSQL, and steps
 * back when another process moves its checkpoint. It waits before an event that newer code wrote and that it
 * would have to handle. It stops, and reports it, before an event that it cannot handle.
 */
export async function followLog({ signal, log, ...following }: FollowLog): Promise<void> {
  const { name } = following.projection;
  let position: Position = 0;
  let stopped: { stoppedAt: Position; error: string } | undefined;

  function follow(succeeded: () => void): Promise<void> {
    const onProgress = (moved: Position, handled: number) => {
      if (moved > position) succeeded();
      if (stopped && moved >= stopped.stoppedAt) stopped = undefined;
      position = moved;
      following.onProgress(name, moved, handled);
      following.onHealth({ name, position, ...stopped });
    };
    return followOnce({ ...following, signal, onProgress });
  }

  function failed(error: Error, failures: number): number {
    if (isOvertaken(error)) {
      log.info({ projection: name, position }, 'another process moved the checkpoint; continuing from there');
      return 0;
    }
    if (willPass(error)) {
      const wait = backOffMs(BACK_OFF_MS, failures);
      log.warn({ err: error, projection: name, position, wait }, 'projection interrupted; retrying');
      return wait;
    }
    // The store delivers everything before an event that it cannot read.
    const stoppedAt = error instanceof Poisoned ? error.position : position + 1;
    stopped = { stoppedAt, error: error.message };
    following.onHealth({ name, position, ...stopped });
    log.error(
      { err: error, projection: name, stoppedAt },
      'projection stopped at an event that it cannot apply; retrying in 10 s',
    );
    return POISON_RETRY_MS;
  }

  await keepRunning(signal, follow, failed);
}

/** Follows from the checkpoint on, with one connection, until something fails or the signal aborts. */
async function followOnce({
  store,
  projection,
  connect,
  tracing = noTracing,
  signal,
  lingerMs = 0,
  rest,
  onProgress,
}: Omit<FollowLog, 'onProgress' | 'onHealth' | 'log'> & {
  onProgress: (position: Position, handled: number) => void;
}): Promise<void> {
  const { name } = projection;
  const describe = ({ id, type, position }: Recorded) => ({
    ...{ 'chat.projection': name, 'chat.event.id': id, 'chat.event.type': type, 'chat.position': position },
  });
  const end = new AbortController();
  const connection = await connect((error) => end.abort(error));
  try {
    const checkpoint = await connection.checkpoint(name);
    if (!checkpoint) throw new Error(`the read model ${name} was never made`);
    if (checkpoint.version !== projection.version)
      throw new EventStoreUnavailable(
        `other code made the read model ${name} (version ${checkpoint.version})`,
      );
    let saved = checkpoint.position;
    let position = saved;
    onProgress(position, 0);

    let saving: Promise<void> | undefined;
    let timer: NodeJS.Timeout | undefined;
    const advance = async (to: Position, events: Recorded[]) => {
      clearTimeout(timer);
      timer = undefined;
      await saving;
      const statements = projection.project(events);
      await inSpanOfEach(tracing, 'projection', events, describe, () =>
        connection.apply({ name, from: saved, to, statements }),
      );
      saved = to;
    };
    const save = () => {
      if (position > saved) saving = advance(position, []).catch((error: unknown) => end.abort(error));
    };
    /** Finds the event that fails. Those before it are kept. */
    const advanceOneByOne = async (events: Recorded[]) => {
      for (const event of events) {
        await advance(event.position, [event]).catch((error: unknown) => {
          throw willPass(error) ? error : new Poisoned(event.position, error);
        });
        position = saved;
        onProgress(position, 1);
      }
    };

    try {
      const ended = AbortSignal.any([signal, end.signal]);
      for await (const batch of store.subscribe({ after: position, limit: BATCH, lingerMs, signal: ended })) {
        const begunAt = performance.now();
        // Acknowledgements and pushes of the same events leave first, because clients wait for them.
        await turn();
        const { events, beyond } = handledBy(projection, batch);
        const to = beyond ? (events.at(-1)?.position ?? position) : batch.at(-1)!.position;
        if (events.length === 0) {
          timer ??= setTimeout(save, SAVE_MS);
        } else {
          await advance(to, events).catch((error: unknown) => {
            if (willPass(error)) throw error;
            return advanceOneByOne(events);
          });
        }
        position = to;
        onProgress(position, events.length);
        if (beyond) throw beyond;
        if (events.length >= MANY) await rest?.(performance.now() - begunAt, ended);
      }
      if (end.signal.aborted && !signal.aborted) throw end.signal.reason;
      if (position > saved) await advance(position, []);
    } finally {
      clearTimeout(timer);
      await saving;
    }
  } finally {
    await connection.close();
  }
}
