import type { Logger } from 'pino';
import { backOffMs, keepRunning, sleep } from '../../kit/back-off.ts';
import type { EventStore, Position } from '../../events/event-store.ts';
import type { GroupId, UserId } from '../../events/ids.ts';
import type { Progress } from '../../projections/projection.ts';
import { createAlarm } from '../alarm.ts';
import type { FanOutInWork, FanOutPlace, FanOuts } from './fan-outs.ts';
import { PageSize } from '../../kit/page-size.ts';
import { patientLook } from './patient-look.ts';
import type { WhereaboutsSource } from './whereabouts.ts';
import { restAfterMs } from '../../kit/duty-cycle.ts';

export interface FanOutLaneOptions {
  store: Pick<EventStore, 'head'>;
  fanOuts: FanOuts;
  whereabouts: WhereaboutsSource;
  progress: Pick<Progress, 'reached'>;
  log: Logger;
  now: () => Date;
  /** Maximum time that a message may take to reach members who are online. */
  windowMs?: number;
  /** Interval at which the lane looks for fan-outs that are due. */
  everyMs?: number;
  /** Number of members that a slice looks at. */
  sliceRows?: number;
  /** Returns the pause after a slice that took `workedMs`, in milliseconds. */
  rest?: (workedMs: number) => number;
  /** Called when notifications may have been written. */
  onWritten?: () => void;
}

export interface FanOutLane {
  /** Signals that there is a new fan-out. */
  wake(): void;
  /** Returns the error of the current retry, or of a fan-out that keeps failing; undefined while all is well. */
  failure(): Error | undefined;
  /** Resolves when the current slice is written. */
  stop(): Promise<void>;
}

const SLICE_ROWS = 1_000;
const READ_MODELS = ['accounts', 'chat_groups'] as const;
const BACK_OFF_MS = { first: 100, most: 5_000 };
/** Number of failures in a row after which a fan-out is reported as failing. */
const REPEATED = 3;

/**
 * Notifies large audiences one slice at a time. The groups take turns, so that no group delays another. The
 * place moves in the same transaction as the rows of a slice. A slice that fails is retried at half the size,
 * after the other groups have had a turn.
 */
export function startFanOutLane(options: FanOutLaneOptions): FanOutLane {
  const { store, fanOuts, whereabouts, progress, log, now } = options;
  const { windowMs = 30_000, everyMs = 250, sliceRows = SLICE_ROWS } = options;
  const { rest = restAfterMs, onWritten = () => {} } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  /**
   * End of the window after the start. Until then, messages from before the start wait, because clients are
   * still reconnecting.
   */
  const settledAt = now().getTime() + windowMs;
  let headAtStart: Position | undefined;
  /** Slice sizes of the fan-outs that have failed. */
  const pages = new Map<string, PageSize>();
  let failure: Error | undefined;
  /** The fan-out in work. */
  let current: FanOutInWork | undefined;
  let after: GroupId | undefined;
  const alarm = createAlarm();

  const look = patientLook({ whereabouts, onFailure: (error) => (failure = error), signal, log });

  /**
   * Returns the candidates of a slice, and the place of the fan-out afterwards; undefined when the fan-out is
   * over.
   */
  async function slice(fanOut: FanOutInWork, rows: number) {
    const { notice, pushedBy, decideAt } = fanOut;
    const isDeciding = fanOut.isDeciding || now().getTime() >= decideAt;
    // The window ended during the first pass: members who were online then are looked at again.
    const isAgain = isDeciding && !fanOut.isDeciding && fanOut.hasUndecided;
    const through = isAgain ? null : fanOut.through;
    const members = await fanOuts.members({ ...fanOut, through }, rows);
    const audience = members.filter(({ isInAudience }) => isInAudience).map(({ userId }) => userId);
    const reached = await look(audience);
    const isAway = (userId: UserId) =>
      (isDeciding || !reached.isOnline(userId)) && !reached.hasReceived(userId, pushedBy, notice.groupId);
    const candidates = audience.filter(isAway).map((recipientId) => ({ ...notice, recipientId }));
    const hasUndecided =
      !isDeciding && (fanOut.hasUndecided || audience.some((userId) => reached.isOnline(userId)));
    const place = (): FanOutPlace | undefined => {
      if (members.length === rows) return { through: members.at(-1)!.userId, isDeciding, hasUndecided };
      return hasUndecided ? { through: null, isDeciding: true, hasUndecided: false } : undefined;
    };
    return { to: place(), candidates };
  }

  async function advance(fanOut: FanOutInWork): Promise<void> {
    const { eventId, position } = fanOut.notice;
    const page = pages.get(eventId) ?? new PageSize(sliceRows);
    while (!(await progress.reached(position, everyMs, READ_MODELS))) if (signal.aborted) return;
    const begun = performance.now();
    try {
      const step = await slice(fanOut, page.rows);
      await fanOuts.advance(fanOut, step);
      page.succeeded();
      if (page.rows === sliceRows || !step.to) pages.delete(eventId);
      if (step.candidates.length > 0) onWritten();
    } catch (error) {
      page.failed();
      pages.set(eventId, page);
      throw error;
    }
    await sleep(rest(performance.now() - begun), signal);
  }

  async function step(succeeded: () => void): Promise<void> {
    alarm.reset();
    current = undefined;
    headAtStart ??= await store.head();
    const beyond = now().getTime() < settledAt ? headAtStart : 0;
    current = await fanOuts.next({ after, beyond });
    after = current?.notice.groupId;
    if (current) await advance(current);
    else await alarm.sleep((await fanOuts.isEmpty()) ? undefined : everyMs);
    failure = undefined;
    succeeded();
  }

  function failed(error: Error, failures: number): number {
    failure = error;
    const pauseMs = backOffMs(BACK_OFF_MS, failures);
    const { eventId, position } = current?.notice ?? {};
    log.warn(
      { err: error, eventId, position, pauseMs },
      'could not write a slice of a large audience; retrying',
    );
    return pauseMs;
  }

  /** Returns an error for a fan-out that keeps failing while others go on. */
  function repeated(): Error | undefined {
    for (const [eventId, { failures: times }] of pages)
      if (times >= REPEATED)
        return new Error(`the audience of event ${eventId} has failed ${times} times in a row`);
    return undefined;
  }

  const ended = keepRunning(signal, step, failed);
  return {
    wake: alarm.wake,
    failure: () => repeated() ?? failure,
    stop: () => {
      stopping.abort();
      alarm.wake();
      return ended;
    },
  };
}
