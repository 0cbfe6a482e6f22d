import { setImmediate as turn } from 'node:timers/promises';
import type { Logger } from 'pino';
import { backOffMs, keepRunning } from '../../kit/back-off.ts';
import type { AggregateLoader } from '../../commands/aggregate-cache.ts';
import { isChatGroupEvent } from '../../protocol/envelope.ts';
import type { EventType } from '../../events/domain-event.ts';
import type { EventStore, Position, Recorded } from '../../events/event-store.ts';
import type { UserId } from '../../events/ids.ts';
import { WrittenByNewerCode, firstBeyond } from '../../events/stored-events.ts';
import { type Category, categoryOf } from '../../events/streams.ts';
import type { Progress } from '../../projections/projection.ts';
import type { MessageAudience } from './audience.ts';
import { type Decided, FEW, createDecisions } from './decisions.ts';
import { followedGroups } from './followed-groups.ts';
import type { Deciding } from '../kinds/kind.ts';
import { notifyingTypes, recipientsOf } from '../kinds/kinds.ts';
import type { Outbox } from '../outbox.ts';
import { PageSize } from '../../kit/page-size.ts';
import { patientLook } from './patient-look.ts';
import type { WhereaboutsSource } from './whereabouts.ts';
import { MOST_UNDECIDED } from './undecided.ts';
import { within } from '../../kit/deadline.ts';

export interface NotifierOptions {
  store: Pick<EventStore, 'subscribe' | 'head'>;
  loader: AggregateLoader;
  outbox: Pick<Outbox, 'checkpoint' | 'begin' | 'write' | 'reconsider'>;
  whereabouts: WhereaboutsSource;
  /** Preferences come from the `accounts` read model. */
  progress: Pick<Progress, 'reached'>;
  log: Logger;
  now: () => Date;
  /** Maximum time that a message may take to reach members who are online. */
  windowMs?: number;
  /**
   * Interval at which it looks for messages to decide, and saves a checkpoint when there is nothing else to
   * write.
   */
  everyMs?: number;
  mostUndecided?: number;
  /** Maximum number of notifications of one message that are written at once. More are written in slices. */
  few?: number;
  /** Called when notifications may have been written. */
  onWritten?: () => void;
  /** Called when there may be large audiences to notify. */
  onFanOut?: () => void;
}

export interface Notifier {
  /** Returns the checkpoint. All notifications of events up to it are in the outbox. */
  position(): Position;
  /** Returns the age in seconds of the oldest event that is not handled yet; 0 while the notifier keeps up. */
  lagSeconds(): number;
  /** Returns the error of the current retry, or the one that keeps recurring; undefined while all is well. */
  failure(): Error | undefined;
  /** Resolves when the current work is written. */
  stop(): Promise<void>;
}

const BATCH = 500;
/** A delay this short does not matter for mail. */
const LINGER_MS = 100;
/** Maximum number of recipients that one transaction writes. */
const PAGE = 1_000;
const BACK_OFF_MS = { first: 100, most: 5_000 };
/** Number of failures at one checkpoint after which the notifier is reported as failing. */
const REPEATED = 3;
/** The events that cause notifications, or change how they are sent. */
const HANDLED: ReadonlySet<string> = new Set<EventType>([...notifyingTypes, 'NotificationPreferencesSet']);
const ACCOUNTS = ['accounts'] as const;
/** The streams besides groups whose state decides who is notified, so that the last one counts. */
const RELIED_ON: ReadonlySet<string> = new Set<Category>(['account', 'company', 'application', 'job']);

/**
 * Decides who is notified later, and writes the notifications to the outbox, one page of recipients in each
 * transaction. A message with many recipients becomes a fan-out there. The checkpoint never passes an
 * undecided message. So after a crash, or any other fault, the notifier starts again from the checkpoint in
 * the table: rows that were written stay as they are, and nothing is left out. The very first start begins at
 * the head of the log.
 */
export function startNotifier(options: NotifierOptions): Notifier {
  const { store, loader, outbox, whereabouts, progress, log, now } = options;
  const { windowMs = 30_000, everyMs = 250, mostUndecided = MOST_UNDECIDED, few = FEW } = options;
  const { onWritten = () => {}, onFanOut = () => {} } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  const groups = followedGroups(loader);
  const deciding: Deciding = {
    groupOf: groups.of,
    state: async (ref) => (await loader.load(ref)).state,
    told: new WeakMap(),
  };
  const page = new PageSize(PAGE);
  let saved: Position = 0;
  /** The time when the first event in hand was stored. */
  let behindSince: number | undefined;
  let failure: Error | undefined;
  /** The checkpoint at which the notifier has failed, and the number of failures there. */
  let trouble: { position: Position; times: number; error: Error } | undefined;

  async function begin(): Promise<Position> {
    const checkpoint = await outbox.checkpoint();
    if (checkpoint !== undefined) return checkpoint;
    await outbox.begin(await store.head());
    return begin();
  }

  const look = patientLook({ whereabouts, onFailure: (error) => (failure = error), signal, log });

  /** Runs from the checkpoint in the table until something fails or the notifier stops. */
  async function follow(succeeded: () => void): Promise<void> {
    saved = await begin();
    // The previous write may have been committed although its answer was lost.
    onFanOut();
    const headAtStart = await store.head();
    const decisions = createDecisions({ look, now, windowMs, headAtStart, mostUndecided, few });
    let pending: Decided = { candidates: [], fanOuts: [] };
    let preferencesChanged: UserId[] = [];
    let handled = saved;
    let savedAt = performance.now();
    const settled = () => (decisions.first() ?? handled + 1) - 1;
    const isSettled = () => handled === saved && pending.candidates.length + pending.fanOuts.length === 0;

    function note({ candidates, fanOuts }: Decided): void {
      for (const candidate of candidates) pending.candidates.push(candidate);
      pending.fanOuts.push(...fanOuts);
    }

    /** Brings what the decisions rely on up to an event. */
    function absorb(event: Recorded): void {
      if (isChatGroupEvent(event)) groups.absorb(event);
      if (RELIED_ON.has(categoryOf(event.stream))) {
        loader.forget(event);
        deciding.told = new WeakMap();
      }
      if (event.type === 'NotificationPreferencesSet') preferencesChanged.push(event.data.userId);
    }

    async function handleAll(events: readonly Recorded[]): Promise<void> {
      behindSince = Date.parse(events[0]!.occurredAt);
      const beyond = firstBeyond(events, HANDLED);
      if (beyond !== -1) throw new WrittenByNewerCode(events[beyond]!);
      const sent: MessageAudience[] = [];
      for (const event of events) {
        absorb(event);
        const told = recipientsOf(event, deciding);
        // Almost every message is one of a known group: nothing is awaited for it.
        const recipients = told instanceof Promise ? await told : told;
        if (Array.isArray(recipients)) pending.candidates.push(...recipients);
        else if (recipients) sent.push(recipients);
      }
      note(await decisions.divide(sent));
      handled = events.at(-1)!.position;
    }

    /** May be repeated after a crash. */
    async function reconsider(): Promise<void> {
      if (preferencesChanged.length === 0) return;
      await outbox.reconsider(preferencesChanged);
      preferencesChanged = [];
      onWritten();
    }

    async function writePending(to: Position): Promise<void> {
      const { candidates, fanOuts } = pending;
      let from = 0;
      try {
        for (let end = page.rows; end < candidates.length; end = from + page.rows) {
          await outbox.write({ from: saved, to: saved, candidates: candidates.slice(from, end) });
          page.succeeded();
          from = end;
        }
        await outbox.write({ from: saved, to, candidates: candidates.slice(from), fanOuts });
        page.succeeded();
      } catch (error) {
        page.failed();
        throw error;
      }
      if (candidates.length > 0) onWritten();
      if (fanOuts.length > 0) onFanOut();
      pending = { candidates: [], fanOuts: [] };
    }

    async function save(): Promise<void> {
      const to = settled();
      if (pending.candidates.length + pending.fanOuts.length > 0) {
        while (!(await progress.reached(handled, everyMs, ACCOUNTS))) if (signal.aborted) return;
      } else if (to === saved || (performance.now() - savedAt < everyMs && !signal.aborted)) return;
      await writePending(to);
      saved = to;
      savedAt = performance.now();
    }

    const end = new AbortController();
    const until = AbortSignal.any([signal, end.signal]);
    const options = { after: saved, limit: BATCH, lingerMs: LINGER_MS, signal: until };
    const batches = store.subscribe(options)[Symbol.asyncIterator]();
    const next = () => {
      const batch = batches.next();
      // The failure is handled when this batch is awaited.
      batch.catch(() => {});
      return batch;
    };
    let arriving = next();
    let isBehind = false;
    try {
      for (;;) {
        if (isSettled() && handled >= headAtStart) trouble = undefined;
        const arrived = isSettled()
          ? await arriving
          : await within(arriving, isBehind ? 0 : everyMs, () => undefined);
        if (arrived?.done) break;
        if (arrived) {
          // Acknowledgements and pushes of the same events go out first: users wait for them.
          await turn();
          await handleAll(arrived.value);
          arriving = next();
        }
        const decided = await decisions.decide();
        note(decided);
        isBehind = decided.isMore;
        await reconsider();
        await save();
        if (!arrived || arrived.value.length < BATCH) behindSince = undefined;
        failure = undefined;
        succeeded();
      }
      await save();
    } finally {
      end.abort();
      await arriving.catch(() => {});
    }
  }

  function failed(error: Error, failures: number): number {
    failure = error;
    const pauseMs = backOffMs(BACK_OFF_MS, failures);
    const times = trouble?.position === saved ? trouble.times + 1 : 1;
    trouble = { position: saved, times, error };
    log.warn({ err: error, position: saved, pauseMs }, 'the notifier failed; restarting from its checkpoint');
    return pauseMs;
  }

  function repeated(): Error | undefined {
    if (!trouble || trouble.position !== saved || trouble.times < REPEATED) return undefined;
    const { times, error } = trouble;
    return new Error(`it has failed ${times} times at position ${saved}: ${error.message}`, { cause: error });
  }

  const ended = keepRunning(signal, follow, failed);
  return {
    position: () => saved,
    lagSeconds: () => (behindSince === undefined ? 0 : Math.max(now().getTime() - behindSince, 0) / 1_000),
    failure: () => repeated() ?? failure,
    stop: () => {
      stopping.abort();
      return ended;
    },
  };
}
