import type pg from 'pg';
import type { Logger } from 'pino';
import { RESET_MS, VERIFICATION_MS, createAccountTokens } from '../auth/tokens/account-tokens.ts';
import { type InvitationStore, findInvitations } from '../auth/invitations.ts';
import type { SignedLinks } from '../auth/tokens/signed-links.ts';
import { accountOf, standardPreferences } from '../commands/account/account.ts';
import { AggregateLoader } from '../commands/aggregate-cache.ts';
import { nameOfCompany } from '../commands/company/company-name.ts';
import type { Config } from '../config.ts';
import type { EventStore } from '../events/event-store.ts';
import { InvitationId, type UserId } from '../events/ids.ts';
import { invitationPath } from '../http/routes/company/invitations.ts';
import { resetPath } from '../http/routes/account/password-reset.ts';
import { verificationPath } from '../http/routes/account/email-verification.ts';
import { unsubscribePath } from '../http/routes/account/unsubscribe.ts';
import {
  type AccountLinks,
  type LetterInvitation,
  createWriteAccountLetter,
} from '../notifications/deliver/account-letters.ts';
import type { Mailer } from '../notifications/deliver/mailer.ts';
import { startFanOutLane } from '../notifications/decide/fan-out-lane.ts';
import { startNotifier } from '../notifications/decide/notifier.ts';
import type { WhereaboutsSource } from '../notifications/decide/whereabouts.ts';
import { tracedQueue } from '../notifications/deliver/traced-queue.ts';
import { startRelay } from '../notifications/deliver/relay.ts';
import { createWorker } from '../notifications/deliver/worker.ts';
import type { Tracing } from '../kit/tracing.ts';
import type { Closers } from '../kit/closers.ts';
import { createFoldCache } from '../adapters/memory/fold-cache.ts';
import { newId } from '../kit/uuids.ts';
import { createLogMailer } from '../adapters/log-only/mailer.ts';
import { createLogPusher } from '../adapters/log-only/pusher.ts';
import type { Metrics } from '../adapters/prometheus/metrics.ts';
import { createPgBossQueue } from '../adapters/pg-boss/queue.ts';
import { createAccountLetterFacts } from '../adapters/postgres/notifications/account-letters.ts';
import { createNotificationFacts } from '../adapters/postgres/notifications/notification-facts.ts';
import { createFanOuts } from '../adapters/postgres/notifications/fan-outs.ts';
import { createOutbox } from '../adapters/postgres/notifications/outbox.ts';
import type { Leases } from '../adapters/postgres/leases.ts';
import { createInvitationStore } from '../adapters/postgres/tables/invitations.ts';
import { createPushSubscriptions } from '../adapters/postgres/notifications/push-subscriptions.ts';
import { createPool, useOf } from '../adapters/postgres/connection.ts';
import { createRabbitmqQueue } from '../adapters/rabbitmq/queue.ts';
import { createSmtpMailer } from '../adapters/smtp/mailer.ts';
import { createWebPushPusher } from '../adapters/web-push/pusher.ts';
import type { Progress } from '../projections/projection.ts';
import type { DatabaseParts } from './log.ts';
import { whileLeading } from './while-leading.ts';

/** Notifications have a pool of their own, so that requests never wait for a connection because of them. */
const CONNECTIONS = 6;
/**
 * Maximum number of batches that the workers of this process handle at once, by lane. The mailer has five
 * connections, so the slow lane never takes them all.
 */
const AT_ONCE = { email: 8, push: 10, 'email-slow': 3, 'push-slow': 3 };
/** Time that each may be behind before readiness reports it. */
const BEHIND_SECONDS = { notifier: 60, audiences: 600 };
const YEAR_MS = 365 * 24 * 3_600_000;

/** Opens push and its subscriptions, which are needed before the first request. */
export function openPush(config: Config, log: Logger, pool: pg.Pool) {
  const { vapid, pushPrivateHosts } = config;
  const pusher = vapid
    ? createWebPushPusher({ vapid, privateHosts: pushPrivateHosts, log })
    : createLogPusher({ log });
  return { pusher, subscriptions: createPushSubscriptions(pool) };
}

/** Memory for accounts: some 20,000 with the standard preferences, or about 200 that mute a thousand groups. */
const ACCOUNT_BYTES = 16 * 1_048_576;

/**
 * Opens the outbox and the queue behind it. A large audience reads many accounts once: they have a cache of
 * their own, so that they do not displace the entries that commands use.
 */
export async function openNotifications(
  config: Config,
  log: Logger,
  open: Closers,
  { databaseUrl, pools, store }: Pick<DatabaseParts, 'databaseUrl' | 'pools'> & { store: EventStore },
) {
  const pool = createPool({
    url: databaseUrl,

    max: CONNECTIONS,
    applicationName: 'notifications',
    log,
  });
  open.add('notifications pool', () => pool.end());
  pools.set('notifications', () => useOf(pool));
  const queue =
    config.amqpUrl === undefined
      ? await createPgBossQueue({ url: databaseUrl, log })
      : await createRabbitmqQueue({ url: config.amqpUrl, caFile: config.amqpCaFile, log });
  open.add('queue', () => queue.close());
  if (queue.poolUse) pools.set('notifications queue', queue.poolUse);
  const accountLoader = new AggregateLoader(store, createFoldCache(ACCOUNT_BYTES));
  return { pool, queue, outbox: createOutbox({ pool }), fanOuts: createFanOuts({ pool }), accountLoader };
}

interface NotificationDeps extends Awaited<ReturnType<typeof openNotifications>> {
  store: EventStore;
  loader: AggregateLoader;
  progress: Pick<Progress, 'reached'>;
  tracing: Tracing;
}

interface WorkerDeps extends NotificationDeps, ReturnType<typeof openPush> {
  links: SignedLinks;
  /** The URL of the API for clients. Links to unsubscribe begin with it. */
  url: string;
  metrics: Metrics;
}

/** Delivers notifications from the queue. Returns the checks for readiness. */
export async function startNotificationWorkers(config: Config, log: Logger, open: Closers, deps: WorkerDeps) {
  const { queue, links } = deps;
  const url = deps.url.replace(/\/$/, '');
  const mailer: Mailer & { failure?: () => Promise<string | undefined> } =
    config.smtpUrl === undefined
      ? createLogMailer({ log })
      : createSmtpMailer({ url: config.smtpUrl, from: config.mailFrom, log });
  open.add('mailer', () => mailer.close());
  const siteUrl = config.siteUrl ?? url;
  const now = () => new Date();
  const worker = createWorker({
    ...deps,
    facts: createNotificationFacts(deps),
    mailer,
    writeAccountLetter: createWriteAccountLetter({
      facts: createAccountLetterFacts(deps.pool),
      invitationOf: invitationsOfLetters({ ...deps, store: createInvitationStore(deps.pool), now }),
      links: accountLinks(links, url),
      siteUrl,
      now,
    }),
    unsubscribeUrl: (userId: UserId) =>
      url + unsubscribePath(links.sign('unsubscribe', { userId }, Date.now() + YEAR_MS)),
    siteUrl,
    now,
    log,
  });
  const workers = await queue.consume({ ...worker, concurrency: AT_ONCE });
  open.add('notification workers', () => workers.stop());
  return { queue: () => queue.failure(), mail: async () => mailer.failure?.() };
}

/** Creates the function that finds the invitation of a letter. */
function invitationsOfLetters(sources: {
  store: InvitationStore;
  loader: AggregateLoader;
  now: () => Date;
}): (letterId: string) => Promise<LetterInvitation | undefined> {
  const { find } = findInvitations(sources);
  return async (letterId) => {
    const invited = await find(InvitationId.parse(letterId));
    return invited && { ...invited, companyName: await nameOfCompany(sources.loader, invited.companyId) };
  };
}

/** Builds the links in the letters about accounts; `url` is the API's. */
function accountLinks(links: SignedLinks, url: string): AccountLinks {
  const tokens = createAccountTokens(links);
  const link = (path: string, writtenAt: Date, ms: number) => ({
    url: url + path,
    endsAt: new Date(writtenAt.getTime() + ms),
  });
  return {
    verification: (userId, address, writtenAt) =>
      link(verificationPath(tokens.verification(userId, address, writtenAt)), writtenAt, VERIFICATION_MS),
    reset: (letterId, writtenAt) => link(resetPath(tokens.reset(letterId, writtenAt)), writtenAt, RESET_MS),
    invitation({ invitationId, companyId, ...invited }) {
      const endsAt = new Date(invited.expiresAt);
      return { url: url + invitationPath(tokens.invitation(invitationId, companyId, endsAt)), endsAt };
    },
  };
}

interface NotifierDeps extends NotificationDeps {
  leases: Leases;
  whereabouts: WhereaboutsSource;
}

/** Decides about notifications and fills the queue, wherever this process leads. */
export function startNotifications(log: Logger, open: Closers, deps: NotifierDeps) {
  const { fanOuts, queue } = deps;
  const notifying = whileLeading(deps.leases, 'notifier', () => notify(log, deps));
  open.add('notifier', () => notifying.stop());

  async function audiencesBehind(): Promise<string | undefined> {
    const running = notifying.running();
    if (!running) return undefined;
    const { count, seconds } = ageOf(await fanOuts.backlog());
    const isBehind = seconds > BEHIND_SECONDS.audiences;
    return (
      running.audienceFailure() ??
      (isBehind ? `${count} are in work, the oldest for ${seconds} s` : undefined)
    );
  }

  return {
    checks: {
      queue: () => queue.failure() ?? notifying.running()?.relayFailure(),
      notifier: () => notifying.running()?.failure(),
      audiences: audiencesBehind,
    },
  };
}

const ageOf = ({ count, oldestSentAt }: { count: number; oldestSentAt: Date | null }) => ({
  count,
  seconds: oldestSentAt ? Math.round(Math.max(Date.now() - oldestSentAt.getTime(), 0) / 1_000) : 0,
});

function notify(log: Logger, deps: NotifierDeps) {
  const { store, loader, accountLoader, progress, outbox, fanOuts, whereabouts } = deps;
  const now = () => new Date();
  const relay = startRelay({
    outbox,
    queue: tracedQueue(deps),
    preferencesOf: async (userId) => {
      const { state } = await accountLoader.refresh(accountOf(userId));
      return state.status === 'none' ? standardPreferences : state.preferences;
    },
    newId,
    now,
    log,
  });
  const onWritten = () => relay.wake();
  const lane = startFanOutLane({ store, fanOuts, whereabouts, progress, log, now, onWritten });
  const onFanOut = () => lane.wake();
  const notifier = startNotifier({
    store,
    loader,
    outbox,
    whereabouts,
    progress,
    log,
    now,
    onWritten,
    onFanOut,
  });

  function behind(): string | undefined {
    const seconds = Math.round(notifier.lagSeconds());
    if (seconds <= BEHIND_SECONDS.notifier) return undefined;
    return `it is ${seconds} s behind the log, at position ${notifier.position()}`;
  }
  return {
    failure: () => notifier.failure()?.message ?? behind(),
    audienceFailure: () => lane.failure()?.message,
    relayFailure: () => relay.failure()?.message,
    async stop() {
      await notifier.stop();
      await lane.stop();
      await relay.stop();
    },
  };
}
