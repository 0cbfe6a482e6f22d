import type pg from 'pg';
import type { Logger } from 'pino';
import type { SignedLinks } from '../auth/signed-links.ts';
import { accountOf, standardPreferences } from '../commands/account/account.ts';
import type { AggregateLoader } from '../commands/aggregate-cache.ts';
import type { Config } from '../config.ts';
import type { EventStore } from '../events/event-store.ts';
import type { UserId } from '../events/ids.ts';
import { unsubscribePath } from '../http/routes/unsubscribe.ts';
import type { Mailer } from '../notifications/mailer.ts';
import { startNotifier } from '../notifications/notifier.ts';
import type { Reach } from '../notifications/reach.ts';
import { startRelay } from '../notifications/relay.ts';
import { createWorker } from '../notifications/worker.ts';
import type { Closers } from '../platform/closers.ts';
import { newId } from '../platform/ids.ts';
import { createLogMailer } from '../platform/log-mailer.ts';
import { createLogPusher } from '../platform/log-pusher.ts';
import type { Metrics } from '../platform/metrics.ts';
import { createPgBossQueue } from '../platform/pg-boss-queue.ts';
import { createNotificationFacts } from '../platform/postgres-notification-facts.ts';
import { createOutbox } from '../platform/postgres-outbox.ts';
import type { Leases } from '../platform/postgres-leases.ts';
import { createPushSubscriptions } from '../platform/postgres-push-subscriptions.ts';
import { APP_ROLE, createPool } from '../platform/postgres.ts';
import { createRabbitmqQueue } from '../platform/rabbitmq-queue.ts';
import { createSmtpMailer } from '../platform/smtp-mailer.ts';
import { createWebPushPusher } from '../platform/web-push-pusher.ts';
import type { Progress } from '../projections/projection.ts';
import { led } from './led.ts';

/** A pool of their own: whatever is told later, requests never wait for a connection because of it. */
const CONNECTIONS = 6;
/** Batches in the hands of the workers of this process. */
const AT_ONCE = 10;
const YEAR_MS = 365 * 24 * 3_600_000;

/** What carries notifications outwards: push, and who wants it. Needed before the first request. */
export function openPush(config: Config, log: Logger, pool: pg.Pool) {
  const { vapid, pushPrivateHosts } = config;
  const pusher = vapid
    ? createWebPushPusher({ vapid, privateHosts: pushPrivateHosts, log })
    : createLogPusher({ log });
  return { pusher, subscriptions: createPushSubscriptions(pool) };
}

/** What notifications go through: the outbox, and the queue behind it. */
export async function openNotifications(config: Config, log: Logger, open: Closers, ownerUrl: string) {
  const pool = createPool({
    url: ownerUrl,
    role: APP_ROLE,
    max: CONNECTIONS,
    applicationName: 'notifications',
    log,
  });
  open.add('notifications pool', () => pool.end());
  const queue =
    config.amqpUrl === undefined
      ? await createPgBossQueue({ url: ownerUrl, role: APP_ROLE, log })
      : await createRabbitmqQueue({ url: config.amqpUrl, log });
  open.add('queue', () => queue.close());
  return { pool, queue, outbox: createOutbox({ pool }) };
}

interface NotificationDeps extends Awaited<ReturnType<typeof openNotifications>> {
  store: EventStore;
  loader: AggregateLoader;
  progress: Pick<Progress, 'reached'>;
}

interface WorkerDeps extends NotificationDeps, ReturnType<typeof openPush> {
  links: SignedLinks;
  /** Where clients reach the API: links to unsubscribe begin with it. */
  url: string;
  metrics: Metrics;
}

/** Takes notifications from the queue to those who are told, from here on. Answers with what readiness asks. */
export async function startNotificationWorkers(config: Config, log: Logger, open: Closers, deps: WorkerDeps) {
  const { queue, links } = deps;
  const url = deps.url.replace(/\/$/, '');
  const mailer: Mailer & { failure?: () => Promise<string | undefined> } =
    config.smtpUrl === undefined
      ? createLogMailer({ log })
      : createSmtpMailer({ url: config.smtpUrl, from: config.mailFrom, log });
  open.add('mailer', () => mailer.close());
  const worker = createWorker({
    ...deps,
    facts: createNotificationFacts(deps),
    mailer,
    unsubscribeUrl: (userId: UserId) =>
      url + unsubscribePath(links.sign('unsubscribe', { userId }, Date.now() + YEAR_MS)),
    siteUrl: config.siteUrl ?? url,
    now: () => new Date(),
    log,
  });
  const workers = await queue.consume({ ...worker, concurrency: AT_ONCE });
  open.add('notification workers', () => workers.stop());
  return { queue: () => queue.failure(), mail: async () => mailer.failure?.() };
}

interface NotifierDeps extends NotificationDeps {
  leases: Leases;
  reach: Reach;
  metrics: Metrics;
}

/** Decides who is told, and puts it into the queue, wherever this process leads. */
export function startNotifications(log: Logger, open: Closers, deps: NotifierDeps) {
  const { store, outbox, queue, metrics } = deps;
  const notifying = led(deps.leases, 'notifier', () => notify(log, deps));
  open.add('notifier', () => notifying.stop());
  return {
    /** Brings the gauges up to date. */
    async measure(): Promise<void> {
      const running = notifying.running();
      if (!running) return;
      metrics.notifierLag((await store.head()) - running.position());
      const { waiting, parked } = await outbox.backlog();
      metrics.notificationsWaiting(waiting, parked);
    },
    checks: {
      queue: () => queue.failure() ?? notifying.running()?.relayFailure(),
      notifier: () => notifying.running()?.failure(),
    },
  };
}

function notify(log: Logger, { store, loader, progress, outbox, queue, reach }: NotifierDeps) {
  const relay = startRelay({
    outbox,
    queue,
    preferencesOf: async (userId) => {
      const { state } = await loader.refresh(accountOf(userId));
      return state.status === 'none' ? standardPreferences : state.preferences;
    },
    newId,
    now: () => new Date(),
    log,
  });
  const notifier = startNotifier({
    store,
    loader,
    outbox,
    reach,
    progress,
    log,
    now: () => new Date(),
    onWritten: () => relay.wake(),
  });
  return {
    position: () => notifier.position(),
    failure: () => notifier.failure()?.message,
    relayFailure: () => relay.failure()?.message,
    async stop() {
      await notifier.stop();
      await relay.stop();
    },
  };
}
