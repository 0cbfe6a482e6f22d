import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { AggregateLoader } from '../commands/aggregate-cache.ts';
import { type ChatGroup, chatGroupOf } from '../commands/chat-group/chat-group.ts';
import { jobOf } from '../commands/job/job.ts';
import type { EventOf } from '../events/domain-event.ts';
import { isChatGroupEvent } from '../events/envelope.ts';
import { type EventStore, NO_STREAM, type Position, type Recorded } from '../events/event-store.ts';
import type { UserId } from '../events/ids.ts';
import type { Progress } from '../projections/projection.ts';
import {
  type MessageAudience,
  audienceOf,
  sizeOf,
  toldOfApplication,
  toldOfStatus,
  whoIsAway,
} from './audience.ts';
import type { Candidate, Outbox } from './outbox.ts';
import { patientLook } from './patient-look.ts';
import type { Reach } from './reach.ts';
import { MOST_UNDECIDED, UndecidedMessages } from './undecided.ts';

export interface NotifierOptions {
  store: Pick<EventStore, 'subscribe' | 'head'>;
  loader: AggregateLoader;
  outbox: Pick<Outbox, 'checkpoint' | 'begin' | 'write' | 'reconsider'>;
  reach: Reach;
  /** Preferences are those of the `accounts` read model. */
  progress: Pick<Progress, 'reached'>;
  log: Logger;
  now: () => Date;
  /** How long a message may take to reach those who are online. */
  windowMs?: number;
  /** How often it looks whose time is up, and saves a checkpoint when there is nothing else to write. */
  everyMs?: number;
  mostUndecided?: number;
  /** Hears that somebody may be told. */
  onWritten?: () => void;
}

export interface Notifier {
  /** Up to there everybody who is to be told is in the outbox. */
  position(): Position;
  /** Why it is retrying right now; undefined while all is well. */
  failure(): Error | undefined;
  /** Resolves when what is in hand is written. */
  stop(): Promise<void>;
}

/** A message of which it is not known yet who is there to hear it; the time in ms since 1970. */
interface Sent extends MessageAudience {
  sentAt: number;
}

const BATCH = 500;
/** Nobody notices it in a mail. */
const LINGER_MS = 100;
/** More than one batch brings, so that a backlog shrinks. */
const DECIDED_AT_ONCE = 1_000;
/** A push follows its event within milliseconds; of one that was handled much later nothing better is known. */
const PUSHED_WITHIN_MS = 5_000;
const BACK_OFF_MS = { first: 100, most: 5_000 };
const ACCOUNTS = ['accounts'];

/** What the promise resolves to, or undefined when that takes longer. */
async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(late.resolve, ms, undefined);
  return Promise.race([promise, late.promise]).finally(() => clearTimeout(timer));
}

/**
 * Decides who is told later, and writes it to the outbox. Members who are offline when a message is sent are told at once;
 * those who are online and do not receive it within the window are told then. The checkpoint never passes a message that
 * is not decided, so after a crash, or any other fault, it starts again from the table: what was written stays as it is,
 * and nothing is left out. The first start of all begins at the head of the log.
 */
export function startNotifier(options: NotifierOptions): Notifier {
  const { store, loader, outbox, reach, progress, log, now } = options;
  const { windowMs = 30_000, everyMs = 250, mostUndecided = MOST_UNDECIDED, onWritten = () => {} } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  let saved: Position = 0;
  let failure: Error | undefined;
  let failures = 0;

  async function begin(): Promise<Position> {
    const checkpoint = await outbox.checkpoint();
    if (checkpoint !== undefined) return checkpoint;
    await outbox.begin(await store.head());
    return begin();
  }

  /** The group at least as new as the message: its sender's membership was checked against that revision. */
  async function groupOf({ data, metadata }: Recorded<EventOf<'MessageSent'>>): Promise<ChatGroup> {
    const ref = chatGroupOf(data.groupId);
    const { revision, state } = await loader.load(ref);
    const needed = metadata.reliedOn?.[ref.stream] ?? NO_STREAM;
    return revision >= needed ? state : (await loader.refresh(ref)).state;
  }

  const look = patientLook({ reach, onFailure: (error) => (failure = error), signal, log });

  /** One life: from the checkpoint in the table until something fails or the notifier stops. */
  async function follow(): Promise<void> {
    saved = await begin();
    // Clients are still coming back: of messages up to here nobody is called offline before the window has passed.
    const headAtStart = await store.head();
    const undecided = new UndecidedMessages(mostUndecided);
    let candidates: Candidate[] = [];
    let changedTheirMind: UserId[] = [];
    let handled = saved;
    let savedAt = performance.now();
    const settled = () => (undecided.first() ?? handled + 1) - 1;

    async function handle(event: Recorded, sent: Sent[]): Promise<void> {
      if (isChatGroupEvent(event)) loader.absorb(chatGroupOf(event.data.groupId), [event]);
      else if (event.type === 'MessageSent') {
        const group = await groupOf(event);
        if (group.status === 'none') return;
        sent.push({ ...audienceOf(event, group.members), sentAt: Date.parse(event.occurredAt) });
      } else if (event.type === 'ApplicationSubmitted')
        candidates.push(...toldOfApplication(event, (await loader.load(jobOf(event.data.jobId))).state));
      else if (event.type === 'ApplicationStatusChanged') candidates.push(...toldOfStatus(event));
      else if (event.type === 'NotificationPreferencesSet') changedTheirMind.push(event.data.userId);
    }

    /** Those who are offline are told now; what becomes of the others is decided later. */
    async function divide(sent: readonly Sent[]): Promise<void> {
      if (sent.length === 0) return;
      const isNew = ({ notice }: Sent) => notice.position > headAtStart;
      const reached = sent.some(isNew) ? await look(sent.filter(isNew)) : undefined;
      const handledAt = now().getTime();
      for (const { sentAt, ...audience } of sent) {
        const away =
          reached && audience.notice.position > headAtStart
            ? whoIsAway(audience, (userId) => !reached.isOnline(userId))
            : [];
        for (const candidate of away) candidates.push(candidate);
        if (away.length === sizeOf(audience)) continue;
        const pushedBy = Math.min(handledAt, sentAt + PUSHED_WITHIN_MS);
        undecided.add({ ...audience, pushedBy, decideAt: handledAt + windowMs });
      }
    }

    async function handleAll(events: readonly Recorded[]): Promise<void> {
      const sent: Sent[] = [];
      for (const event of events) await handle(event, sent);
      await divide(sent);
      handled = events.at(-1)!.position;
    }

    /** Whether there may be more whose time is up. */
    async function decide(): Promise<boolean> {
      const due = undecided.take(now().getTime(), DECIDED_AT_ONCE);
      if (due.length === 0) return false;
      const reached = await look(due);
      for (const message of due) {
        const { notice, pushedBy } = message;
        const isAway = (userId: UserId) => !reached.hasReceived(userId, pushedBy, notice.groupId);
        for (const candidate of whoIsAway(message, isAway)) candidates.push(candidate);
      }
      return due.length === DECIDED_AT_ONCE;
    }

    /** Repeating it after a crash is no fault. */
    async function reconsider(): Promise<void> {
      if (changedTheirMind.length === 0) return;
      await outbox.reconsider(changedTheirMind);
      changedTheirMind = [];
      onWritten();
    }

    async function save(): Promise<void> {
      const to = settled();
      if (candidates.length > 0) {
        while (!(await progress.reached(handled, everyMs, ACCOUNTS))) if (signal.aborted) return;
      } else if (to === saved || (performance.now() - savedAt < everyMs && !signal.aborted)) return;
      await outbox.write({ from: saved, to, candidates });
      if (candidates.length > 0) onWritten();
      candidates = [];
      saved = to;
      savedAt = performance.now();
    }

    const end = new AbortController();
    const until = AbortSignal.any([signal, end.signal]);
    const options = { after: saved, limit: BATCH, lingerMs: LINGER_MS, signal: until };
    const batches = store.subscribe(options)[Symbol.asyncIterator]();
    const next = () => {
      const batch = batches.next();
      // A failure is heard when it is this batch's turn.
      batch.catch(() => {});
      return batch;
    };
    let arriving = next();
    let isBehind = false;
    try {
      for (;;) {
        const isIdle = handled === saved && candidates.length === 0;
        const arrived = isIdle ? await arriving : await within(arriving, isBehind ? 0 : everyMs);
        if (arrived?.done) break;
        if (arrived) {
          // Acknowledgements and pushes of the same events leave first: somebody waits for them.
          await turn();
          await handleAll(arrived.value);
          arriving = next();
        }
        isBehind = await decide();
        await reconsider();
        await save();
        failure = undefined;
        failures = 0;
      }
      await save();
    } finally {
      end.abort();
      await arriving.catch(() => {});
    }
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      try {
        await follow();
      } catch (error) {
        failure = error instanceof Error ? error : new Error(String(error));
        const pauseMs = Math.min(BACK_OFF_MS.first * 2 ** failures, BACK_OFF_MS.most);
        failures += 1;
        log.warn({ err: failure, position: saved, pauseMs }, 'the notifier starts again from its checkpoint');
        await pause(pauseMs, undefined, { signal }).catch(() => {});
      }
    }
  }

  const ended = run();
  return {
    position: () => saved,
    failure: () => failure,
    stop: () => {
      stopping.abort();
      return ended;
    },
  };
}
