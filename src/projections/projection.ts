import type { EventOf, EventType } from '../events/domain-event.ts';
import type { Position, Recorded } from '../events/event-store.ts';

/**
 * One set-based SQL statement: its values are columns of a whole batch. `name` lets the connection prepare it
 * once.
 */
export interface Statement {
  name: string;
  text: string;
  values: unknown[];
}

/** The name of a read model. It is also the name of its PostgreSQL schema. */
export type ProjectionName =
  'conversations' | 'accounts' | 'jobs' | 'applications' | 'chat_groups' | 'files' | 'audit' | 'event_ids';

/**
 * A read model, which turns events into rows. It is the sole writer of its tables, which are in a PostgreSQL
 * schema of their own, so that a rebuild can exist beside the live one. All SQL names tables without the
 * schema.
 */
export interface Projection<T extends EventType = EventType, N extends ProjectionName = ProjectionName> {
  name: N;
  /**
   * Must be raised when the rows of the same events change. A model with an older version is then rebuilt at
   * the start.
   */
  version: number;
  /** Tables with their primary keys. */
  tables: string;
  /** Everything else that reading needs. A rebuild creates it after the load. */
  indexes: string;
  handles: readonly T[];
  /** Time that a batch waits for more events, in milliseconds, where no query waits for the read model. */
  lingerMs?: number;
  /**
   * Returns the statements that apply a batch to the rows, in order. Pure. Applying a batch again changes
   * nothing.
   */
  project: (events: Recorded<EventOf<T>>[]) => Statement[];
}

/** Infers the types of a projection from `handles`. */
export const defineProjection = <T extends EventType, const N extends ProjectionName>(
  projection: Projection<T, N>,
): Projection<T, N> => projection;

/** Returns the types of events that the schemas describe, which are all events of one noun. */
export const typesOf = <T extends EventType>(schemas: Record<T, unknown>): T[] => Object.keys(schemas) as T[];

/** The progress of the read models. */
export interface Progress {
  /**
   * Resolves with true once all projections, or all named ones, have handled the log up to `position`; with
   * false after `timeoutMs`.
   */
  reached(position: Position, timeoutMs: number, names?: readonly ProjectionName[]): Promise<boolean>;
  /** Returns the position of each projection, by name. */
  positions(): ReadonlyMap<string, Position>;
}

/** The read models did not catch up with the log in time. They may a moment later. */
export class NotCaughtUp extends Error {
  override readonly name = 'NotCaughtUp';
}

/** Maximum time that a query, or a command that reads a read model, waits for it. */
const CATCH_UP_MS = 2_000;

/** Waits until all read models, or the named ones, show the log up to `position`. Throws `NotCaughtUp` after 2 s. */
export async function caughtUp(
  progress: Pick<Progress, 'reached'>,
  position: Position,
  names?: readonly ProjectionName[],
): Promise<void> {
  if (!(await progress.reached(position, CATCH_UP_MS, names)))
    throw new NotCaughtUp(
      `${names?.join() ?? 'the read models'} did not reach ${position} in ${CATCH_UP_MS} ms`,
    );
}
