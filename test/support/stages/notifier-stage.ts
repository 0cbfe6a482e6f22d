import { AggregateLoader } from '../../../src/commands/aggregate-cache.ts';
import type { Actor } from '../../../src/commands/command.ts';
import type { EventStore } from '../../../src/events/event-store.ts';
import type { UserId } from '../../../src/events/ids.ts';
import { type FanOutLaneOptions, startFanOutLane } from '../../../src/notifications/decide/fan-out-lane.ts';
import { type NotifierOptions, startNotifier } from '../../../src/notifications/decide/notifier.ts';
import { linesOf } from '../log-lines.ts';
import { openOutboxStage } from './outbox-stage.ts';
import { until } from '../../../tools/until.ts';

export const WINDOW_MS = 30_000;

/** The presence of users, and up to when they have received. */
export function createReach(time: () => number) {
  const online = new Set<UserId>();
  const receivedUpTo = new Map<UserId, number>();
  let isOutOfReach = false;
  const isOnline = (userId: UserId) => online.has(userId);
  const hasReceived = (userId: UserId, at: number) => (receivedUpTo.get(userId) ?? 0) >= at;
  return {
    isOnline,
    async look(userIds: readonly UserId[]) {
      if (isOutOfReach) throw new Error('presence is unknown');
      const known = new Set(userIds);
      const asked = (userId: UserId) => {
        if (!known.has(userId)) throw new Error(`no query for ${userId}`);
        return userId;
      };
      return {
        isOnline: (userId: UserId) => isOnline(asked(userId)),
        hasReceived: (userId: UserId, at: number) => hasReceived(asked(userId), at),
      };
    },
    /** Whether presence data is unreachable. */
    outOfReach: (yes: boolean) => (isOutOfReach = yes),
    comes: (...people: Actor[]) => people.forEach(({ userId }) => online.add(userId)),
    goes: (...people: Actor[]) => people.forEach(({ userId }) => online.delete(userId)),
    /** Forgets everything, as after a restart. */
    forget: (userId: UserId) => {
      online.delete(userId);
      receivedUpTo.delete(userId);
    },
    /** Answers the pings sent now. */
    receives: (...people: Actor[]) => people.forEach(({ userId }) => receivedUpTo.set(userId, time())),
  };
}

/** Notifiers on a log in memory and an outbox in PostgreSQL, with a manual clock. */
export async function openNotifierStage() {
  const outboxStage = await openOutboxStage();
  const { store, clock, outbox, fanOuts, progress, happened } = outboxStage;
  const whereabouts = createReach(clock.time);
  const running = new Map<{ stop(): Promise<void> }, { handled: number }>();

  /** Starts a notifier like a process of its own, with its own cache. */
  function start({
    lane: changedLane,
    ...changed
  }: Partial<NotifierOptions> & { lane?: Partial<FanOutLaneOptions> } = {}) {
    const { log, lines } = linesOf('warn');
    const loader = new AggregateLoader(store, new Map());
    const state = { handled: 0 };
    async function* subscribe(options: Parameters<EventStore['subscribe']>[0]) {
      state.handled = options.after;
      for await (const batch of store.subscribe(options)) {
        yield batch;
        // Asking for the next batch means that this one is handled.
        state.handled = batch.at(-1)!.position;
      }
    }
    const timing = { now: clock.now, windowMs: WINDOW_MS, everyMs: 5 };
    const lane = startFanOutLane({
      ...{ store, fanOuts, whereabouts, progress, log, rest: () => 0 },
      ...timing,
      ...changedLane,
    });
    const notifier = startNotifier({
      ...{ loader, outbox, whereabouts, progress, log },
      store: { ...store, subscribe },
      ...timing,
      onFanOut: lane.wake,
      ...changed,
    });
    const stop = async () => {
      running.delete(started);
      await notifier.stop();
      await lane.stop();
    };
    const started = { ...notifier, laneFailure: lane.failure, lines, stop };
    running.set(started, state);
    return started;
  }

  const isDecided = async () =>
    (await outbox.checkpoint()) === (await store.head()) && (await fanOuts.isEmpty());

  /** Waits until everything in the log is decided, according to the table. */
  const decided = async () => until(isDecided, 'all decisions');

  /** Waits until every running notifier has read the whole log. */
  const handled = async () => {
    const head = await store.head();
    await until(() => [...running.values()].every((state) => state.handled >= head), 'everything is handled');
  };

  async function stopAll(): Promise<void> {
    await Promise.all([...running.keys()].map((notifier) => notifier.stop()));
    running.clear();
  }

  return {
    ...outboxStage,
    whereabouts,
    start,
    decided,
    handled,
    /** Waits until the checkpoint is as far as it can be while the message after it waits. */
    standsAt: (position: number) =>
      until(async () => (await outbox.checkpoint()) === position, `the checkpoint ${position}`),
    /** Advances the clock until the window of everything so far has passed. */
    async windowPasses() {
      await handled();
      clock.advance(WINDOW_MS);
      await decided();
    },
    /** The same when a notifier, and with it the window, may restart at any moment. */
    windowsPass: () =>
      until(async () => {
        clock.advance(WINDOW_MS);
        return isDecided();
      }, 'all decisions'),
    /** The notifications as [position, recipient, channel]. */
    told: async () =>
      (await outboxStage.rows()).map(({ position, recipientId, channel }) => [
        position,
        recipientId,
        channel,
      ]),
    happened,
    stopAll,
    async close() {
      await stopAll();
      await outboxStage.close();
    },
  };
}

export type NotifierStage = Awaited<ReturnType<typeof openNotifierStage>>;
