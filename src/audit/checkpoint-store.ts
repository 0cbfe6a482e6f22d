import type { Checkpoint } from './checkpoint.ts';

/** The checkpoint does not follow the last one that is stored. Nothing was stored. */
export class NotNext extends Error {
  override readonly name = 'NotNext';
}

/** What is stored is not a list of checkpoints: it was edited. */
export class CheckpointsDamaged extends Error {
  override readonly name = 'CheckpointsDamaged';
}

/**
 * The port of the place of the checkpoints, which the application should not be able to rewrite. One contract suite
 * (test/audit/checkpoint-store-contract.ts) runs against every adapter.
 */
export interface CheckpointStore {
  /**
   * Resolves once the checkpoint is on stable storage. To append the last one again changes nothing. Rejects with
   * `NotNext`.
   */
  append(checkpoint: Checkpoint): Promise<void>;
  /** Resolves with the checkpoints of more than `after` events, in their order, at most `limit`. */
  read(options: { after: number; limit: number }): Promise<Checkpoint[]>;
  /**
   * Yields all checkpoints in the order in which they are stored, whatever they are. Rejects with
   * `CheckpointsDamaged` where something else is stored.
   */
  all(): AsyncIterable<Checkpoint>;
  /** Resolves with the last checkpoint; undefined when there is none. */
  last(): Promise<Checkpoint | undefined>;
}
