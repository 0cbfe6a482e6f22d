import type { Position } from '../events/event-store.ts';
import type { UserId } from '../events/ids.ts';
import type { FanOut } from './decide/fan-outs.ts';
import type { Batch, Candidate, Channel, Lane, NotificationOutcome } from './notification.ts';

/**
 * True for topics that are gathered at their recipient's pace. The others are sent at once and do not delay
 * anything.
 */
export const isPaced = { messages: true, applications: false };
export type Topic = keyof typeof isPaced;

/** A recipient for whom notifications of a topic wait. */
export interface Waiting {
  recipientId: UserId;
  channel: Channel;
  topic: Topic;
  /** The time of the last batch of the topic; null before the first. */
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

/** The place of a batch among those that are parked. */
export type ParkedPlace = Pick<ParkedBatch, 'batchId' | 'parkedAt'>;

/** A batch on its way: times in RFC 3339. */
export interface UnsentBatch {
  batchId: string;
  recipientId: UserId;
  channel: Channel;
  gatheredAt: string;
  /** When it is handed to the queue, again after a failure. */
  publishAt: string;
  attempts: number;
  lastError: string | null;
}

/**
 * The port of the notifications to send: rows in PostgreSQL. A rebuild of read models does not create any of
 * them.
 */
export interface Outbox {
  /** Resolves with the notifier's position in the log; undefined before its first start. */
  checkpoint(): Promise<Position | undefined>;
  /** Sets the checkpoint, unless there is one. */
  begin(position: Position): Promise<void>;
  /**
   * In one transaction, moves the checkpoint from `from` to `to`, adds the fan-outs, and writes the
   * candidates whose preferences allow it, one row for each channel. Existing rows stay as they are. Throws
   * when another process has moved the checkpoint.
   */
  write(step: {
    from: Position;
    to: Position;
    candidates: readonly Candidate[];
    fanOuts?: readonly FanOut[];
  }): Promise<void>;
  /** Makes everything that was postponed for these users due now, because their preferences have changed. */
  reconsider(recipientIds: readonly UserId[]): Promise<void>;

  /**
   * Resolves with recipients whose waiting notifications are due and not in a batch yet: either those of
   * large audiences only, or all others.
   */
  due(which: { isSlow: boolean; limit: number }): Promise<Waiting[]>;
  /** Postpones everything that waits for a recipient in a topic until the given time. */
  postpone(waiting: Waiting, until: Date): Promise<void>;
  /** Takes waiting notifications into a new batch, at most 500, unless another process has done so meanwhile. */
  gather(waiting: Waiting, batchId: string): Promise<void>;
  /**
   * Resolves with batches to publish: new ones, postponed ones that are due, and those that the queue seems
   * to have lost.
   */
  unpublished(limit: number): Promise<{ batchId: string; lane: Lane }[]>;
  published(batchId: string): Promise<void>;

  /** Resolves with the batch and its unsettled notifications; undefined when it is done, parked or unknown. */
  load(batchId: string): Promise<Batch | undefined>;
  /** Settles a batch with the outcome of each of its notifications. */
  settle(batchId: string, outcomes: readonly NotificationOutcome[]): Promise<void>;
  /** Publishes the batch again at that time. With an error, this counts as a failed attempt. */
  retry(batchId: string, at: Date, error?: string): Promise<void>;
  /** Takes a batch out of circulation until an operator replays it. */
  park(batchId: string, reason: string): Promise<void>;
  /** Resolves with parked batches after one of them, the first to be parked first; by default the oldest 1,000. */
  parked(page?: { after?: ParkedPlace | undefined; limit: number }): Promise<ParkedBatch[]>;
  /** Resolves with the batches that have not been sent yet and are not parked, the longest due first; at most 1,000. */
  unsent(): Promise<UnsentBatch[]>;
  /**
   * Puts parked batches back into circulation: those with the given ids, or all of them. Resolves with their
   * number.
   */
  replay(batchIds?: readonly string[]): Promise<number>;
  /**
   * Resolves with numbers for an operator: the notifications that wait, the time for which the oldest due batch
   * has not been published, and the parked batches. Counts no further than 100,000.
   */
  backlog(): Promise<{ waiting: number; oldestUnpublishedSeconds: number; parked: number }>;
}
