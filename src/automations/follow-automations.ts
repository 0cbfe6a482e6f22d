import { setImmediate as turn } from 'node:timers/promises';
import type { Logger } from 'pino';
import { backOffMs, sleep } from '../kit/back-off.ts';
import { AutomationRefused } from '../commands/rejection.ts';
import type { EventType } from '../events/domain-event.ts';
import type { EventStore, Position } from '../events/event-store.ts';
import { WrittenByNewerCode, requireKnown } from '../events/stored-events.ts';
import type { RunAutomations } from './run-automations.ts';

/** Where a reader of the log has come to, kept across restarts. */
export interface Checkpoint {
  /** 0 when there is none yet. */
  load(): Promise<Position>;
  /** Never moves back. */
  save(position: Position): Promise<void>;
}

export interface AutomationFollower {
  /** The last event whose automations are known to be done. */
  position(): Position;
  /** Why it is retrying right now; undefined while all is well. */
  failure(): Error | undefined;
  /** Resolves when the event in hand is done and the checkpoint saved. */
  stop(): Promise<void>;
}

/** Of what concerns nobody only this much is looked through again after a crash. */
const SAVE_EVERY_MS = 1_000;
/** What was done at once has been done: there is no hurry to make sure. */
const LINGER_MS = 250;
const BACK_OFF_MS = { first: 50, most: 5_000 };

/**
 * Makes automations durable: follows the log from a checkpoint of its own and does again what follows from each event.
 * Whatever was done at once is a duplicate in the log; whatever a crash prevented happens now. An event is retried
 * with growing pauses until its automations are done: none is skipped, and none is done before an earlier one. A refusal is
 * final, as no repetition changes what the log holds: it is reported, and the next event follows.
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
  /** What something may follow from; the automations are asked about nothing else. */
  types: readonly EventType[];
  checkpoint: Checkpoint;
  log: Logger;
  /** Hears of every refusal. */
  onRefused?: (refused: AutomationRefused) => void;
}): AutomationFollower {
  const stopping = new AbortController();
  const { signal } = stopping;
  let done: Position | undefined;
  let saved: Position = 0;
  let failure: Error | undefined;
  let failures = 0;

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

  function onPosition(position: Position): void {
    done = position;
    failure = undefined;
    failures = 0;
  }

  async function follow(): Promise<void> {
    if (done === undefined) done = saved = await checkpoint.load();
    if (failure && (await store.head()) <= done) failure = undefined;
    const options = { after: done, lingerMs: LINGER_MS, types, onPosition, signal };
    for await (const batch of store.subscribe(options)) {
      // What was done at once has been: this is only to make sure, after everything that somebody waits for.
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

  async function run(): Promise<void> {
    while (!signal.aborted) {
      try {
        await follow();
      } catch (error) {
        if (signal.aborted) break;
        const reason = error instanceof Error ? error : new Error(String(error));
        // This process does its other work meanwhile: readiness tells of the event itself.
        failure = reason instanceof WrittenByNewerCode ? undefined : reason;
        failures += 1;
        const pauseMs = backOffMs(BACK_OFF_MS, failures);
        log.warn({ err: reason, after: done, pauseMs }, 'an automation failed; retrying');
        await sleep(pauseMs, signal);
      }
    }
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
    await Promise.all([run(), saveNowAndThen()]);
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
