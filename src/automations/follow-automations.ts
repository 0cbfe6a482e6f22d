import { setImmediate as turn } from 'node:timers/promises';
import type { Logger } from 'pino';
import { backOffMs, keepRunning, sleep } from '../kit/back-off.ts';
import { AutomationRefused } from '../commands/rejection.ts';
import type { EventType } from '../events/domain-event.ts';
import type { EventStore, Position } from '../events/event-store.ts';
import { WrittenByNewerCode, requireKnown } from '../events/stored-events.ts';
import type { RunAutomations } from './run-automations.ts';

/** The position that a reader of the log has reached, stored across restarts. */
export interface Checkpoint {
  /** Resolves with 0 when there is no checkpoint yet. */
  load(): Promise<Position>;
  /** Saves the position. A checkpoint never moves back. */
  save(position: Position): Promise<void>;
}

export interface AutomationFollower {
  /** Returns the position of the last event whose automations are known to be done. */
  position(): Position;
  /** Returns the error that is being retried; undefined when there is none. */
  failure(): Error | undefined;
  /** Resolves when the current event is done and the checkpoint saved. */
  stop(): Promise<void>;
}

/** Interval of saving the checkpoint while no event has automations. A crash repeats at most this much reading. */
const SAVE_EVERY_MS = 1_000;
/** The automations usually ran at once already, so checking on them is not urgent. */
const LINGER_MS = 250;
const BACK_OFF_MS = { first: 50, most: 5_000 };

/**
 * Makes automations durable: follows the log from a checkpoint of its own and runs the automations of each
 * event again. An automation that already ran is a duplicate in the log; one that a crash prevented runs now.
 * An event is retried with growing pauses until its automations are done. None is skipped, and none runs
 * before an earlier one. A refusal is final, because a retry does not change what the log holds: it is
 * reported, and the next event follows.
 */
export function followAutomations({
  store,
  automate,
  types,
  checkpoint,
  log,
  onRefused = () => {},
}: {
  store: Pick<EventStore, 'subscribe' | 'head'>;
  automate: RunAutomations;
  /** The event types that trigger an automation. Other events are not read. */
  types: readonly EventType[];
  checkpoint: Checkpoint;
  log: Logger;
  /** Called with every refusal. */
  onRefused?: (refused: AutomationRefused) => void;
}): AutomationFollower {
  const stopping = new AbortController();
  const { signal } = stopping;
  let done: Position | undefined;
  let saved: Position = 0;
  let failure: Error | undefined;

  async function save(): Promise<void> {
    const to = done;
    if (to === undefined || to <= saved) return;
    await checkpoint.save(to);
    saved = to;
  }

  function report(error: unknown): void {
    if (!(error instanceof AutomationRefused)) throw error;
    const { automation, eventId, code } = error;
    log.error(
      { automation, eventId, code },
      'an automation was refused; what the event promised does not hold',
    );
    onRefused(error);
  }

  async function follow(succeeded: () => void): Promise<void> {
    function onPosition(position: Position): void {
      done = position;
      failure = undefined;
      succeeded();
    }

    if (done === undefined) done = saved = await checkpoint.load();
    if (failure && (await store.head()) <= done) failure = undefined;
    const options = { after: done, lingerMs: LINGER_MS, types, onPosition, signal };
    for await (const batch of store.subscribe(options)) {
      // The automations usually ran at once already. This only makes sure, so it yields to work that a caller
      // waits for.
      await turn();
      for (const event of batch) {
        if (signal.aborted) return;
        requireKnown([event]);
        await automate([event]).catch(report);
        onPosition(event.position);
      }
      await save();
    }
  }

  function failed(error: Error, failures: number): number {
    // Newer code wrote the event. This process continues its other work, and its readiness reports the event
    // itself.
    failure = error instanceof WrittenByNewerCode ? undefined : error;
    const pauseMs = backOffMs(BACK_OFF_MS, failures);
    log.warn({ err: error, after: done, pauseMs }, 'an automation failed; retrying');
    return pauseMs;
  }

  async function saveNowAndThen(): Promise<void> {
    while (!signal.aborted) {
      await sleep(SAVE_EVERY_MS, signal, { ref: false });
      if (!signal.aborted)
        await save().catch((err: unknown) =>
          log.debug({ err }, 'could not save the checkpoint of the automations; saving it later'),
        );
    }
  }

  async function runAndSave(): Promise<void> {
    await Promise.all([keepRunning(signal, follow, failed), saveNowAndThen()]);
    await save().catch((error: unknown) =>
      log.warn(
        { err: error },
        'could not save the checkpoint of the automations; some run again after the start',
      ),
    );
  }

  const ended = runAndSave();
  return {
    position: () => done ?? 0,
    failure: () => failure,
    stop: () => {
      stopping.abort();
      return ended;
    },
  };
}
