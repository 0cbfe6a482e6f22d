import type { EventStore, Position } from '../events/event-store.ts';
import { waitFor } from '../kit/wait-for.ts';
import { ProblemError, problem } from './problem.ts';

/** A position that a client sent. Older clients, and audits, name no epoch. */
export interface GivenPosition {
  epoch: string | undefined;
  position: Position;
}

export const POSITION_PATTERN = '^(?:([0-9a-z]{8})\\.)?([0-9]{1,15})$';
const SHAPE = new RegExp(POSITION_PATTERN);
/** Time that a process may lag behind another one that has told a client of a position. */
const LAG_MS = 2_000;

/** Parses a position as clients send it; undefined for anything else. */
export function parsePosition(text: string): GivenPosition | undefined {
  const [, epoch, position] = SHAPE.exec(text) ?? [];
  return position === undefined ? undefined : { epoch, position: Number(position) };
}

/** The positions of the log in its present epoch, as clients see them: opaque, so that only the server compares them. */
export interface Positions {
  epoch: string;
  encode(position: Position): string;
  /** The highest position that was encoded here. */
  highest(): Position;
  /** Returns the position. Throws `POSITION_UNKNOWN` when it is of another epoch. */
  decode(given: GivenPosition): Position;
  /** Throws `POSITION_UNKNOWN` when the log does not come to have this position within `waitMs`, 2 s by default. */
  requireInLog(position: Position, waitMs?: number): Promise<void>;
}

const unknown = () => new ProblemError(problem('POSITION_UNKNOWN'));

/** Creates the positions of an epoch. */
export function createPositions({ epoch, head }: { epoch: string } & Pick<EventStore, 'head'>): Positions {
  let highest: Position = 0;
  return {
    epoch,
    encode(position) {
      highest = Math.max(highest, position);
      return `${epoch}.${position}`;
    },
    highest: () => highest,
    decode(given) {
      if (given.epoch !== undefined && given.epoch !== epoch) throw unknown();
      return given.position;
    },
    async requireInLog(position, waitMs = LAG_MS) {
      if (!(await waitFor(async () => (await head()) >= position, waitMs))) throw unknown();
    },
  };
}
