import type { EventStore, Position } from '../events/event-store.ts';
import type { CheckpointStore } from './checkpoint-store.ts';
import { type Checkpoint, positionOf, rootOf } from './checkpoint.ts';
import { type SealedEvent, sealedLeaf, toSealed } from './leaf.ts';
import { consistencyRanges, inclusionRanges, isConsistent, isIncluded, type Range } from './merkle.ts';
import { type SealRecords, TILE, TilesMissing, treesOf } from './tiles.ts';

/** A proof that cannot be given; the code is stable. */
export class NoProof extends Error {
  override readonly name = 'NoProof';
  readonly code: 'CHECKPOINT_NOT_FOUND' | 'EVENT_NOT_FOUND' | 'NOT_SEALED' | 'SEAL_BROKEN';

  constructor(code: NoProof['code'], detail: string) {
    super(detail);
    this.code = code;
  }
}

/** The proof that an event is among the events of a checkpoint. */
export interface InclusionProof {
  position: Position;
  /** The place of the event in the tree, from 0. */
  index: number;
  size: number;
  /** base64url, as are `hashes`. */
  leaf: string;
  hashes: string[];
  event: SealedEvent;
}

/** The proof that the events of a checkpoint begin with those of an older one. */
export interface ConsistencyProof {
  from: number;
  to: number;
  hashes: string[];
}

export interface Proofs {
  /** Both reject with `NoProof`. Without a size, the proof is for the last checkpoint. */
  inclusion(asked: { position: Position; size?: number | undefined }): Promise<InclusionProof>;
  consistency(asked: { from: number; to: number }): Promise<ConsistencyProof>;
}

/**
 * Creates the proofs. Each is checked against the signed checkpoint before it is given, because tiles and log may have been
 * changed.
 */
export function createProofs({
  store,
  records,
  checkpoints,
}: {
  store: Pick<EventStore, 'readStored'>;
  records: SealRecords;
  checkpoints: Pick<CheckpointStore, 'read' | 'last'>;
}): Proofs {
  async function checkpointOf(size: number | undefined): Promise<Checkpoint> {
    const found =
      size === undefined
        ? await checkpoints.last()
        : (await checkpoints.read({ after: size - 1, limit: 1 })).find((each) => each.size === size);
    if (found) return found;
    const wanted = size === undefined ? 'yet' : `of ${size} events`;
    throw new NoProof('CHECKPOINT_NOT_FOUND', `There is no checkpoint ${wanted}`);
  }

  async function hashesOf(ranges: readonly Range[]) {
    try {
      return (await treesOf(records, ranges)).map((tree) => tree.root());
    } catch (error) {
      if (!(error instanceof TilesMissing)) throw error;
      throw new NoProof('SEAL_BROKEN', 'The records of the sealer are damaged; verify the log');
    }
  }
  const encoded = (hashes: readonly Buffer[]) => hashes.map((each) => each.toString('base64url'));

  return {
    async inclusion({ position, size: asked }) {
      const checkpoint = await checkpointOf(asked);
      const { size } = checkpoint;
      if (position > positionOf(checkpoint))
        throw new NoProof(
          'NOT_SEALED',
          `The checkpoint of ${size} events ends at position ${checkpoint.position}`,
        );
      const tile = await records.tileAt(position);
      const events = tile ? await store.readStored({ after: tile.after, limit: TILE }) : [];
      const place = events.findIndex((event) => event.position === position);
      if (!tile || place < 0)
        throw new NoProof('EVENT_NOT_FOUND', `There is no event at position ${position}`);
      const event = toSealed(events[place]!);
      const index = tile.index * TILE + place;
      const leaf = sealedLeaf(event);
      const hashes = await hashesOf(inclusionRanges(index, size));
      if (!isIncluded({ index, size, leaf, hashes, root: rootOf(checkpoint) }))
        throw new NoProof(
          'SEAL_BROKEN',
          `The log at position ${position} is not what was sealed; verify the log`,
        );
      return { position, index, size, leaf: leaf.toString('base64url'), hashes: encoded(hashes), event };
    },

    async consistency({ from, to }) {
      const [older, newer] = [await checkpointOf(from), await checkpointOf(to)];
      const hashes = await hashesOf(consistencyRanges(from, to));
      if (!isConsistent({ from, to, fromRoot: rootOf(older), toRoot: rootOf(newer), hashes }))
        throw new NoProof('SEAL_BROKEN', 'The checkpoints are not of one log; verify the log');
      return { from, to, hashes: encoded(hashes) };
    },
  };
}
