import { z } from 'zod';
import type { Position } from './event-store.ts';

/** A stretch of the log's life in which it only grew. A restored backup ends it. */
export interface Epoch {
  epoch: string;
  /** In ms since 1970, by the clock of the database. */
  beganAt: number;
}

/** What somebody has seen of the log: in an epoch, it came up to a position. */
export interface Sighting extends Epoch {
  position: Position;
}

const Kept = z.object({ epoch: z.string(), beganAt: z.number(), position: z.number() });

/** Parses a kept sighting; undefined for anything else, such as what a crash or another version left. */
export function parseSighting(text: string): Sighting | undefined {
  try {
    return Kept.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** The log as it is. */
export interface LogState {
  /** The present epoch first. */
  epochs: readonly [present: Epoch, ...earlier: Epoch[]];
  /** The position of its end. */
  end: Position;
}

/** The port of what remembers sightings outside of the database. A log is named by the id of its first event. */
export interface Witness {
  /** Resolves with the last sighting of a log; undefined when there is none. */
  recall(log: string): Promise<Sighting | undefined>;
  /** Keeps a sighting, unless a later one is kept. */
  note(log: string, sighting: Sighting): Promise<void>;
}

/** Returns true if a sighting replaces the one that is kept: nodes and their restarts overlap. */
export const isNews = (kept: Sighting | undefined, seen: Sighting): boolean =>
  !kept || (kept.epoch === seen.epoch ? kept.position < seen.position : kept.beganAt <= seen.beganAt);

/**
 * Returns true when the log has lost something that was seen. A sighting in an earlier epoch, or in one that began
 * before the present one and is not known any more, is out of date.
 */
export function isLost(seen: Sighting, { epochs: [present, ...earlier], end }: LogState): boolean {
  if (seen.epoch === present.epoch) return seen.position > end;
  const isOutOfDate = earlier.some(({ epoch }) => epoch === seen.epoch);
  return !isOutOfDate && seen.beganAt >= present.beganAt;
}

/** The log is not the one that was seen: it was restored to an earlier state. The message tells what to do. */
export class LogRestored extends Error {
  override readonly name = 'LogRestored';
}

export const lost = (witness: string, seen: Sighting, { end }: Pick<LogState, 'end'>): LogRestored =>
  new LogRestored(
    `The log ends at position ${end}, but ${witness} has seen it at ${seen.position} in epoch ${seen.epoch}: ` +
      'it was restored to an earlier state. Stop every process, run "npm run log -- restored", and start them again',
  );

export const newEpoch = ({ epochs: [{ epoch }] }: LogState): LogRestored =>
  new LogRestored(
    `The log was restored to an earlier state, or moved, while this process was running, and is in epoch ${epoch} now: start this process again`,
  );
