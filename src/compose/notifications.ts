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
import { createPushSubscriptions } from '../platform/postgres-push-subscriptions.ts';
import { APP_ROLE, createPool } from '../platform/postgres.ts';
import { createRabbitmqQueue } from '../platform/rabbitmq-queue.ts';
import { createSmtpMailer } from '../platform/smtp-mailer.ts';
import { createWebPushPusher } from '../platform/web-push-pusher.ts';
import type { Progress } from '../projections/projection.ts';

/** A pool of their own: whatever is told later, requests never wait for a connection because of it. */
const CONNECTIONS = 6;
/** Batches in the hands of the workers of this process. */
const AT_ONCE = 10;
const FORGET_EVERY_MS = 3_600_000;
const KEPT_MS = 24 * 3_600_000;
const YEAR_MS = 365 * 24 * 3_600_000;

/** What carries notifications outwards: push, and who wants it. Needed before the first request. */
export function openPush(config: Config, log: Logger, pool: pg.Pool) {
  const { vapid, pushPrivateHosts } = config;
  const pusher = vapid
    ? createWebPushPusher({ vapid, privateHosts: pushPrivateHosts, log })
    : createLogPusher({ log });
  return { pusher, subscriptions: createPushSubscriptions(pool) };
}

interface NotificationDeps extends ReturnType<typeof openPush> {
  ownerUrl: string;
  store: EventStore;
  loader: AggregateLoader;
  progress: Pick<Progress, 'reached'>;
  links: SignedLinks;
  reach: Reach;
  /** Where clients reach this server: links to unsubscribe begin with it. */
  url: string;
  metrics: Metrics;
}

/** Who is told later: the notifier, the relay, the queue and the workers, which all run from here on. */
export async function startNotifications(config: Config, log: Logger, open: Closers, deps: NotificationDeps) {
  const { ownerUrl, store, loader, progress, links, metrics } = deps;
  const url = deps.url.replace(/\/$/, '');
  const pool = createPool({
    url: ownerUrl,
    role: APP_ROLE,
    max: CONNECTIONS,
    applicationName: 'notifications',
    log,
  });
  open.add('notifications pool', () => pool.end());
  const outbox = createOutbox({ pool });
  const mailer: Mailer & { failure?: () => Promise<string | undefined> } =
    config.smtpUrl === undefined
      ? createLogMailer({ log })
      : createSmtpMailer({ url: config.smtpUrl, from: config.mailFrom, log });
  open.add('mailer', () => mailer.close());
  const queue =
    config.amqpUrl === undefined
      ? await createPgBossQueue({ url: ownerUrl, role: APP_ROLE, log })
      : await createRabbitmqQueue({ url: config.amqpUrl, log });
  open.add('queue', () => queue.close());

  const worker = createWorker({
    ...deps,
    outbox,
    facts: createNotificationFacts({ pool, store, loader, progress }),
    mailer,
    unsubscribeUrl: (userId: UserId) =>
      url + unsubscribePath(links.sign('unsubscribe', { userId }, Date.now() + YEAR_MS)),
    siteUrl: config.siteUrl ?? url,
    now: () => new Date(),
    log,
  });
  const workers = await queue.consume({ ...worker, concurrency: AT_ONCE });
  open.add('notification workers', () => workers.stop());

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
  open.add('notification relay', () => relay.stop());
  const notifier = startNotifier({
    store,
    loader,
    outbox,
    reach: deps.reach,
    progress,
    log,
    now: () => new Date(),
    onWritten: () => relay.wake(),
  });
  open.add('notifier', () => notifier.stop());
  const forgetting = setInterval(() => {
    outbox
      .forget(new Date(Date.now() - KEPT_MS))
      .catch((err: unknown) => log.warn({ err }, 'old notifications were not dropped, trying again later'));
  }, FORGET_EVERY_MS).unref();
  open.add('old notifications', () => clearInterval(forgetting));

  return {
    /** Brings the gauges up to date. */
    async measure(): Promise<void> {
      metrics.notifierLag((await store.head()) - notifier.position());
      const { waiting, parked } = await outbox.backlog();
      metrics.notificationsWaiting(waiting, parked);
    },
    checks: {
      queue: () => queue.failure() ?? relay.failure()?.message,
      mail: async () => mailer.failure?.(),
      notifier: () => notifier.failure()?.message,
    },
  };
}
