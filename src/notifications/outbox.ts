import type { Position } from '../events/event-store.ts';
import type { UserId } from '../events/ids.ts';
import type { FanOut } from './decide/fan-outs.ts';
import type { Batch, Candidate, Channel, Lane, Outcome } from './notification.ts';

/** Whether what is told of a topic is gathered at its recipient's pace. The rest is told at once, and slows nothing down. */
export const isPaced = { messages: true, applications: false };
export type Topic = keyof typeof isPaced;

/** Somebody for whom something waits. */
export interface Waiting {
  recipientId: UserId;
  channel: Channel;
  topic: Topic;
  /** When the last batch of it was made; null before the first. */
  gatheredAt: Date | null;
}

export interface ParkedBatch {
  batchId: string;
  recipientId: UserId;
  channel: Channel;
  reason: string;
  /** RFC 3339. */
  parkedAt: string;
  notifications: number;
}

/** The port of what is to be sent: rows in PostgreSQL. Nothing in it is made by a rebuild of read models. */
export interface Outbox {
  /** Where the notifier stands in the log; undefined before its first start. */
  checkpoint(): Promise<Position | undefined>;
  /** Begins at a position, if there is no checkpoint yet. */
  begin(position: Position): Promise<void>;
  /**
   * One transaction: the checkpoint moves from `from` to `to`, the fan-outs begin, and the candidates whose preferences
   * allow it are written, one row for each channel. What is there already stays as it is. Throws when somebody else
   * moved the checkpoint.
   */
  write(step: {
    from: Position;
    to: Position;
    candidates: readonly Candidate[];
    fanOuts?: readonly FanOut[];
  }): Promise<void>;
  /** What was put off for these people is due now: they want to be told in another way. */
  reconsider(recipientIds: readonly UserId[]): Promise<void>;

  /**
   * Those for whom something waits that no batch has taken, and that was not put off until later: of large audiences
   * alone, or of anything else.
   */
  due(which: { isSlow: boolean; limit: number }): Promise<Waiting[]>;
  /** Puts off everything that waits for somebody until then. */
  postpone(waiting: Waiting, until: Date): Promise<void>;
  /** Takes what waits for somebody into a new batch, 500 at most, unless somebody else has done so meanwhile. */
  gather(waiting: Waiting, batchId: string): Promise<void>;
  /** Batches to hand to the queue: new ones, those put off until now, and those that the queue seems to have lost. */
  unpublished(limit: number): Promise<{ batchId: string; lane: Lane }[]>;
  published(batchId: string): Promise<void>;

  /** The batch with what is not settled in it; undefined when it is done, parked or unknown. */
  load(batchId: string): Promise<Batch | undefined>;
  /** Settles a batch: what became of each of its notifications. */
  settle(batchId: string, outcomes: readonly Outcome[]): Promise<void>;
  /** Hands the batch to the queue again at that time. With an error this counts as an attempt that failed. */
  retry(batchId: string, at: Date, error?: string): Promise<void>;
  /** Takes a batch out of circulation, for an operator to see to. */
  park(batchId: string, reason: string): Promise<void>;
  /** The oldest 1,000. */
  parked(): Promise<ParkedBatch[]>;
  /** Puts parked batches back into circulation; answers with how many. Without ids, all of them. */
  replay(batchIds?: readonly string[]): Promise<number>;
  /**
   * For readiness and metrics: how many notifications wait, and for how long the oldest batch has not reached the queue.
   * Counts no further than 100,000.
   */
  backlog(): Promise<{ waiting: number; oldestUnpublishedSeconds: number; parked: number }>;
}
