import type { EventStore } from '../../../src/events/event-store.ts';
import { type Positions, createPositions } from '../../../src/protocol/positions.ts';

/** The epoch of logs that no database has. */
export const EPOCH = 'testing1';

/** Returns the positions of a log in memory. */
export const positionsIn = (store: Pick<EventStore, 'head'>): Positions =>
  createPositions({ epoch: EPOCH, head: () => store.head() });
