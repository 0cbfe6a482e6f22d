import type { Logger } from 'pino';
import { backOffMs, keepRunning } from '../../kit/back-off.ts';
import type { NotificationPreferences } from '../../events/account.ts';
import type { UserId } from '../../events/ids.ts';
import { createAlarm } from '../alarm.ts';
import type { Lane } from '../notification.ts';
import { type Outbox, type Waiting, isPaced } from '../outbox.ts';
import type { Queue } from './queue.ts';
import { quietUntil } from './quiet-hours.ts';
import { restAfterMs } from '../../kit/duty-cycle.ts';

export interface RelayOptions {
  outbox: Pick<Outbox, 'due' | 'postpone' | 'gather' | 'unpublished' | 'published'>;
  queue: Pick<Queue, 'publish'>;
  /** Resolves with the current preferences. */
  preferencesOf: (userId: UserId) => Promise<NotificationPreferences>;
  newId: () => string;
  now: () => Date;
  log: Logger;
  everyMs?: number;
  /** Returns the pause after gathering for large audiences took `workedMs`, in milliseconds. */
  rest?: (workedMs: number) => number;
}

export interface Relay {
  /** Returns the error of the current retry; undefined while all is well. */
  failure(): Error | undefined;
  /** Signals that there is something to publish, so that the relay does not wait for its next look. */
  wake(): void;
  /** Resolves when the current batches have been confirmed or released, within about 10 s. */
  stop(): Promise<void>;
}

/** Notifications of large audiences are gathered in addition to the rest, never before it. */
const GATHERED_AT_ONCE = { isSlow: false, limit: 8 };
const GATHERED_BESIDE = { isSlow: true, limit: 4 };
/** Maximum number of messages that wait for the queue's confirmation. */
const UNCONFIRMED = 100;
const MINUTE_MS = 60_000;
const BACK_OFF_MS = { first: 100, most: 10_000 };

/** Waits for all promises, then throws the first error. */
async function all(work: readonly Promise<unknown>[]): Promise<void> {
  for (const result of await Promise.allSettled(work)) if (result.status === 'rejected') throw result.reason;
}

/**
 * Gathers due notifications into batches, at each recipient's pace, and publishes the batches to the queue. A
 * batch counts as published once the queue has confirmed it; after an earlier crash it is published again.
 * Any number of relays may run.
 */
export function startRelay({
  outbox,
  queue,
  preferencesOf,
  newId,
  now,
  log,
  everyMs = 250,
  rest = restAfterMs,
}: RelayOptions): Relay {
  const stopping = new AbortController();
  const { signal } = stopping;
  let failure: Error | undefined;
  /** A time of `performance.now()`. */
  let restsUntil = 0;
  const alarm = createAlarm();

  /** Resolves with the time at which the recipient's pace and quiet hours allow the next batch. */
  async function allowedAt({ recipientId, topic, gatheredAt }: Waiting, at: Date): Promise<Date> {
    const { quietHours, digestMinutes } = await preferencesOf(recipientId);
    const quietEnd = quietUntil(quietHours, at);
    if (quietEnd || !isPaced[topic] || !gatheredAt) return quietEnd ?? at;
    return new Date(gatheredAt.getTime() + digestMinutes * MINUTE_MS);
  }

  async function gather(waiting: Waiting): Promise<void> {
    const at = now();
    try {
      const allowed = await allowedAt(waiting, at);
      if (allowed > at) await outbox.postpone(waiting, allowed);
      else await outbox.gather(waiting, newId());
    } catch (error) {
      log.warn(
        { err: error, recipientId: waiting.recipientId },
        'could not build a batch for a recipient; retrying',
      );
      // A recipient that fails must not delay the others.
      await outbox.postpone(waiting, new Date(at.getTime() + MINUTE_MS));
    }
  }

  async function publish({ batchId, lane }: { batchId: string; lane: Lane }): Promise<void> {
    await queue.publish(batchId, lane);
    await outbox.published(batchId);
  }

  /** Resolves with the number of batches gathered. */
  async function gatherDue(which: typeof GATHERED_AT_ONCE): Promise<number> {
    const due = await outbox.due(which);
    await all(due.map(gather));
    return due.length;
  }

  async function gatherBeside(): Promise<number> {
    const begun = performance.now();
    if (begun < restsUntil) return 0;
    const gathered = await gatherDue(GATHERED_BESIDE);
    const ended = performance.now();
    if (gathered > 0) restsUntil = ended + rest(ended - begun);
    return gathered;
  }

  /**
   * Resolves with true if there may be more to do. Publishes first: while the queue is out of reach, new
   * notifications wait for one larger batch.
   */
  async function step(): Promise<boolean> {
    const batches = await outbox.unpublished(UNCONFIRMED);
    await all(batches.map(publish));
    const gathered = (await gatherDue(GATHERED_AT_ONCE)) + (await gatherBeside());
    return gathered > 0 || batches.length === UNCONFIRMED;
  }

  async function round(succeeded: () => void): Promise<void> {
    alarm.reset();
    const isBusy = await step();
    failure = undefined;
    succeeded();
    const restingMs = restsUntil - performance.now();
    if (!isBusy) await alarm.sleep(restingMs > 0 ? Math.min(restingMs, everyMs) : everyMs);
  }

  function failed(error: Error, failures: number): number {
    failure = error;
    const pauseMs = backOffMs(BACK_OFF_MS, failures);
    log.warn({ err: error, pauseMs }, 'the relay failed; retrying');
    return pauseMs;
  }

  const ended = keepRunning(signal, round, failed);
  return {
    failure: () => failure,
    wake: alarm.wake,
    stop: () => {
      stopping.abort();
      alarm.wake();
      return ended;
    },
  };
}
