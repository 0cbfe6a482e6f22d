import type { Logger } from 'pino';
import { backOffMs, sleep } from '../../kit/back-off.ts';
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
  /** As they are now. */
  preferencesOf: (userId: UserId) => Promise<NotificationPreferences>;
  newId: () => string;
  now: () => Date;
  log: Logger;
  everyMs?: number;
  /** Returns the pause after gathering for large audiences took `workedMs`, in milliseconds. */
  rest?: (workedMs: number) => number;
}

export interface Relay {
  /** Why it is retrying right now; undefined while all is well. */
  failure(): Error | undefined;
  /** There is something to hand on: do not wait for the next look. */
  wake(): void;
  /** Resolves when what is in hand has been confirmed, or given back: within about 10 s. */
  stop(): Promise<void>;
}

/** What is due for large audiences comes beside the rest, never before it. */
const GATHERED_AT_ONCE = { isSlow: false, limit: 8 };
const GATHERED_BESIDE = { isSlow: true, limit: 4 };
/** Messages that the queue has not confirmed. */
const UNCONFIRMED = 100;
const MINUTE_MS = 60_000;
const BACK_OFF_MS = { first: 100, most: 10_000 };

/** Waits for all of them; then throws the first error. */
async function all(work: readonly Promise<unknown>[]): Promise<void> {
  for (const result of await Promise.allSettled(work)) if (result.status === 'rejected') throw result.reason;
}

/**
 * Gathers what is due into batches, at each recipient's pace, and hands these to the queue. A batch counts as published
 * once the queue has confirmed it; a crash before that publishes it again. Any number of relays may run.
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
  let failures = 0;
  /** On the clock of `performance.now()`. */
  let restsUntil = 0;
  const alarm = createAlarm();

  /** When the recipient's pace and quiet hours allow the next batch. */
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
      // Nobody holds up the others.
      await outbox.postpone(waiting, new Date(at.getTime() + MINUTE_MS));
    }
  }

  async function publish({ batchId, lane }: { batchId: string; lane: Lane }): Promise<void> {
    await queue.publish(batchId, lane);
    await outbox.published(batchId);
  }

  /** Returns how many it has gathered. */
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

  /** Answers whether there may be more to do. While the queue is out of reach, what comes waits for one larger batch. */
  async function step(): Promise<boolean> {
    const batches = await outbox.unpublished(UNCONFIRMED);
    await all(batches.map(publish));
    const gathered = (await gatherDue(GATHERED_AT_ONCE)) + (await gatherBeside());
    return gathered > 0 || batches.length === UNCONFIRMED;
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      alarm.reset();
      try {
        const isBusy = await step();
        failure = undefined;
        failures = 0;
        const restingMs = restsUntil - performance.now();
        if (!isBusy) await alarm.sleep(restingMs > 0 ? Math.min(restingMs, everyMs) : everyMs);
      } catch (error) {
        failure = error instanceof Error ? error : new Error(String(error));
        failures += 1;
        const pauseMs = backOffMs(BACK_OFF_MS, failures);
        log.warn({ err: failure, pauseMs }, 'the relay failed; retrying');
        await sleep(pauseMs, signal);
      }
    }
  }

  const ended = run();
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
