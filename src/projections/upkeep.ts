import type { Position } from '../events/event-store.ts';
import type { ActId, UserId } from '../events/ids.ts';

/** The last rebuild of a read model. Times are RFC 3339. */
export interface Rebuild {
  /** It is `requested` until a process that leads the projections begins it, again after that process has died. */
  state: 'requested' | 'running' | 'done' | 'failed';
  /** The place that it has read up to, and the end of the log; null before it began. */
  position: Position | null;
  head: Position | null;
  requestedAt: string | null;
  startedAt: string | null;
  finishedAt: string | null;
  error: string | null;
  /** Null for a rebuild that nobody asked the server for. */
  requestedBy: string | null;
}

/** How far a read model is. Null where it is not made yet. */
export interface ReadModelState {
  name: string;
  version: number | null;
  /** Of this process's code. */
  latestVersion: number;
  position: Position | null;
  behind: number | null;
  /** Age of the oldest event that it has not handled; 0 when there is none. */
  lagSeconds: number | null;
  /** True if the version before the last rebuild can be put back. */
  previousKept: boolean;
  /** Null where it has never been rebuilt. */
  rebuild: Rebuild | null;
}

/** What operators may do to read models, from any process. */
export interface ReadModelUpkeep {
  names: readonly string[];
  states(): Promise<{ head: Position; readModels: ReadModelState[] }>;
  /** Resolves with the reason why the version before the last rebuild cannot be put back now; undefined if it can. */
  rollBackObstacle(name: string): Promise<'REBUILD_RUNNING' | 'NOTHING_KEPT' | undefined>;
  /**
   * Asks the process that leads the projections to rebuild. Resolves with the rebuild, or with the one that is under
   * way already. A repetition asks for nothing.
   */
  requestRebuild(asked: {
    name: string;
    actId: ActId;
    requestedBy: UserId;
    force: boolean;
  }): Promise<Rebuild>;
  /** Puts back the version before the last rebuild, once for each act. Resolves as `rollBackObstacle`. */
  rollBack(asked: { name: string; actId: ActId }): Promise<'REBUILD_RUNNING' | 'NOTHING_KEPT' | undefined>;
}
