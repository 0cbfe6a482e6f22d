import type { AddressInfo } from 'node:net';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { createSignedLinks } from './auth/signed-links.ts';
import { createLogIn } from './auth/log-in.ts';
import { accountOf } from './commands/account/account.ts';
import { AggregateLoader, type Folded } from './commands/aggregate-cache.ts';
import { commandHandler } from './commands/handle-command.ts';
import { openAuth } from './compose/auth.ts';
import { openFiles } from './compose/files.ts';
import { openLog } from './compose/log.ts';
import { openPush, startNotifications } from './compose/notifications.ts';
import type { Config } from './config.ts';
import type { Stream } from './events/streams.ts';
import { readinessOf } from './http/readiness.ts';
import { createHttpServer } from './http/server.ts';
import { type Closers, closers } from './platform/closers.ts';
import { deriveId, newId } from './platform/ids.ts';
import { createInTurn } from './platform/in-turn.ts';
import { createMemoryRateLimits } from './platform/memory-rate-limits.ts';
import { createMetrics } from './platform/metrics.ts';
import { postgresCheckpoint } from './platform/postgres-checkpoints.ts';
import { postgresIdempotencyKeys } from './platform/postgres-idempotency-keys.ts';
import { createLookups } from './platform/postgres-lookups.ts';
import { createReadMarkers } from './platform/postgres-read-markers.ts';
import { createQueryPool } from './platform/query-pool.ts';
import { type RunningProjections, startProjections } from './platform/run-projections.ts';
import { bindQueries } from './queries/queries.ts';
import { followReactions } from './reactions/follow-reactions.ts';
import { reactNow } from './reactions/react.ts';
import { createGateway } from './realtime/gateway.ts';
import { asyncApiDocument } from './realtime/asyncapi.ts';

export interface App {
  /** Where it listens. */
  url: string;
  /** Ends in order: no new work, sockets told, requests answered, readers stopped, database closed. */
  stop(): Promise<void>;
}

/** Streams whose folded state is kept in memory; a chat group of 10 members takes about 2 KiB. */
const CACHED_STREAMS = 20_000;

/**
 * Builds the whole program from its settings, and starts it: the only file that knows every part. Rejects with a clear
 * error, everything closed again, when a part cannot start.
 */
export async function compose(config: Config, log: Logger): Promise<App> {
  const open = closers(log);
  try {
    return await start(config, log, open);
  } catch (error) {
    await open.closeAll().catch(() => {});
    throw error;
  }
}

async function start(config: Config, log: Logger, open: Closers): Promise<App> {
  const metrics = createMetrics();
  const { ownerUrl, pool, store } = await openLog(config, log, metrics, open);

  const projections = await startProjections({ store, ownerUrl, log });
  open.add('projections', () => projections.stop());
  const { progress } = projections;
  const db = await createQueryPool({ url: ownerUrl, log });
  open.add('queries', () => db.end());

  const loader = new AggregateLoader(store, new LRUCache<Stream, Folded>({ max: CACHED_STREAMS }));
  const lookups = createLookups({ store, pool, progress });
  const handle = commandHandler({
    store,
    loader,
    lookups,
    react: (events) => react(events),
    inTurn: createInTurn(),
    newId,
    deriveId,
    now: () => new Date(),
  });
  const react = reactNow({ handle, log });
  const reactions = followReactions({ store, react, checkpoint: postgresCheckpoint(pool, 'reactions'), log });
  open.add('reactions', () => reactions.stop());

  const auth = await openAuth(config, log, open, { ownerUrl, pool, handle });
  const rateLimits = createMemoryRateLimits(config);
  const readMarkers = createReadMarkers({ pool, store, loader, progress });
  const queries = bindQueries(db);
  const links = createSignedLinks(auth.linkSecret);
  const files = await openFiles(config, log, open, {
    ...{ ownerUrl, pool, store, handle, links, queries, progress, metrics },
  });
  const push = openPush(config, log, pool);
  const idempotencyKeys = postgresIdempotencyKeys(pool);
  if (config.databaseUrl === undefined) await idempotencyKeys.forgetInterrupted();

  async function measureLag(): Promise<void> {
    const head = await store.head();
    for (const [name, position] of progress.positions()) metrics.projectionLag(name, head - position);
    metrics.reactionLag(head - reactions.position());
    await notifications?.measure();
  }

  let isServing = false;
  let notifications: Awaited<ReturnType<typeof startNotifications>> | undefined;
  const http = await createHttpServer({
    ...auth,
    ...files,
    links,
    maxFileBytes: config.maxFileBytes,
    publicUrl: config.publicUrl,
    pushSubscriptions: push.subscriptions,
    pushPublicKey: push.pusher.publicKey,
    pushPrivateHosts: config.pushPrivateHosts,
    handle,
    loader,
    lookups,
    queries,
    progress,
    head: () => store.head(),
    rateLimits,
    logIn: createLogIn({ ...auth, rateLimits }),
    readMarkers,
    loadAccount: async (userId) => (await loader.refresh(accountOf(userId))).state,
    announceRead: (reading) => gateway.announceRead(reading),
    isOnline: (userId) => gateway.isOnline(userId),
    idempotencyKeys,
    readiness: () =>
      readinessOf(
        {
          process: () => (isServing ? undefined : 'starting or stopping'),
          database: () => pool.query('select 1').then(() => undefined),
          projections: () => stoppedProjections(projections),
          reactions: () => reactions.failure()?.message,
          revocations: () => (auth.revocations.isHealthy() ? undefined : 'not refreshed for 30 s'),
        },
        { ...files.checks, ...notifications?.checks },
      ),
    asyncapi: asyncApiDocument(),
    metrics: { ...metrics, expose: () => measureLag().then(metrics.expose) },
    log,
    newId,
    settings: config,
  });
  const gateway = createGateway({
    ...auth,
    httpServer: http.server,
    store,
    handle,
    lookups,
    loader,
    rateLimits,
    queries,
    progress,
    readMarkers,
    metrics,
    log,
    newId,
    settings: config,
  });
  await gateway.start();
  open.add('http', () => http.close());
  open.add('sockets', () => gateway.close());

  await http.listen({ host: config.host, port: config.port });
  const { port } = http.server.address() as AddressInfo;
  const url = `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`;
  const reach = { isOnline: gateway.hasSocket, hasReceived: gateway.hasReceived };
  notifications = await startNotifications(config, log, open, {
    ...{ ...push, ownerUrl, store, loader, progress, links, metrics, reach },
    url: config.publicUrl ?? url,
  });
  isServing = true;
  log.info({ url }, 'listening');
  open.add('draining', () => {
    isServing = false;
    gateway.drain();
  });
  return { url, stop: () => open.closeAll() };
}

/** A projection that stands still before an event it cannot handle is for an operator to see to. */
const stoppedProjections = ({ health }: RunningProjections): string | undefined => {
  const stopped = health().filter(({ stoppedAt }) => stoppedAt !== undefined);
  if (stopped.length === 0) return undefined;
  return stopped.map(({ name, stoppedAt, error }) => `${name} at position ${stoppedAt}: ${error}`).join('; ');
};
