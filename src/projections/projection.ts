import type { EventOf, EventType } from '../events/domain-event.ts';
import type { Position, Recorded } from '../events/event-store.ts';

/** One SQL statement, set-based: its values are columns of a whole batch. `name` lets the connection prepare it once. */
export interface Statement {
  name: string;
  text: string;
  values: unknown[];
}

/** The name of a read model. It is also the name of its PostgreSQL schema. */
export type ProjectionName =
  'conversations' | 'accounts' | 'jobs' | 'applications' | 'chat_groups' | 'files' | 'event_ids';

/**
 * A read model: events in, rows out. It is the sole writer of its tables, which live in a PostgreSQL schema of their
 * own, so that a rebuild can stand beside the live one. All SQL names tables without the schema.
 */
export interface Projection<T extends EventType = EventType, N extends ProjectionName = ProjectionName> {
  name: N;
  /** Raised when the rows of the same events change: an older read model is then rebuilt at the start. */
  version: number;
  /** Tables with their primary keys. */
  tables: string;
  /** Everything else that reading needs; made after the load when rebuilding. */
  indexes: string;
  handles: readonly T[];
  /** Pure: the statements that bring the rows up to date with a batch, in order. Applying a batch again changes nothing. */
  project: (events: Recorded<EventOf<T>>[]) => Statement[];
}

/** Infers the types of a projection from what it handles. */
export const defineProjection = <T extends EventType, const N extends ProjectionName>(
  projection: Projection<T, N>,
): Projection<T, N> => projection;

/** Returns the types of events that some schemas describe: all the events of a noun. */
export const typesOf = <T extends EventType>(schemas: Record<T, unknown>): T[] => Object.keys(schemas) as T[];

/** How far the read models have come. */
export interface Progress {
  /** True once every projection, or each one named, has handled the log up to `position`; false after `timeoutMs`. */
  reached(position: Position, timeoutMs: number, names?: readonly ProjectionName[]): Promise<boolean>;
  /** Where each projection stands, by name. */
  positions(): ReadonlyMap<string, Position>;
}

/** The read models did not come up with the log in time; they may a moment later. */
export class NotCaughtUp extends Error {
  override readonly name = 'NotCaughtUp';
}

/** How long a query, or a command that reads a read model, waits for it. */
const CATCH_UP_MS = 2_000;

/** Waits for the read models, or for those named, to show the log up to `position`. Throws `NotCaughtUp` after 2 s. */
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
