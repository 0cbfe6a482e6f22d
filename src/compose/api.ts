import { join } from 'node:path';
import type { Logger } from 'pino';
import type { SignedLinks } from '../auth/tokens/signed-links.ts';
import { accountOf } from '../commands/account/account.ts';
import type { AggregateLoader } from '../commands/aggregate-cache.ts';
import type { Lookups } from '../commands/command.ts';
import type { HandleCommand } from '../commands/handle-command.ts';
import type { Config } from '../config.ts';
import type { Positions } from '../protocol/positions.ts';
import type { RateLimits } from '../protocol/rate-limits.ts';
import type { EventStore } from '../events/event-store.ts';
import type { Readiness } from '../http/route-deps.ts';
import { createHttpServer } from '../http/server.ts';
import { clientAddressBehind } from '../http/client-address.ts';
import type { Tracing } from '../kit/tracing.ts';
import type { Closers } from '../kit/closers.ts';
import { deriveId, newId } from '../kit/uuids.ts';
import type { Metrics } from '../adapters/prometheus/metrics.ts';
import { readWebPages } from '../adapters/disk/web-pages.ts';
import { uploadOriginsOf } from '../adapters/s3/client.ts';
import { postgresIdempotencyKeys } from '../adapters/postgres/tables/idempotency-keys.ts';
import { createReadMarkers } from '../adapters/postgres/tables/read-markers.ts';
import type { Progress } from '../projections/projection.ts';
import type { bindQueries } from '../queries/queries.ts';
import { asyncApiDocument } from '../realtime/connection/asyncapi.ts';
import { createGateway } from '../realtime/gateway.ts';
import { type openKeys, openAuth } from './auth.ts';
import type { Cluster } from './cluster.ts';
import type { openFiles } from './files.ts';
import { openStoredLog } from './audit.ts';
import { openInvitations } from './companies.ts';
import { listen } from './listen.ts';
import type { DatabaseParts } from './log.ts';
import type { openPush } from './notifications.ts';
import { openOperations } from './operators.ts';
import { openProofs } from './sealing.ts';

interface ApiDeps extends DatabaseParts {
  cluster: Cluster;
  rateLimits: RateLimits;
  store: EventStore;
  positions: Positions;
  loader: AggregateLoader;
  lookups: Lookups;
  handle: HandleCommand;
  progress: Progress;
  metrics: Metrics;
  tracing: Tracing;
  keys: Awaited<ReturnType<typeof openKeys>>;
  links: SignedLinks;
  queries: ReturnType<typeof bindQueries>;
  files: Awaited<ReturnType<typeof openFiles>>;
  push: ReturnType<typeof openPush>;
  readiness: () => Promise<Readiness>;
  expose: Metrics['expose'];
}

/** The pages for people, as `npm install` builds them. */
const WEB = join(import.meta.dirname, '../../web/dist');

/** Starts the client interfaces: REST and the sockets. The server listens once this resolves. */
export async function startApi(config: Config, log: Logger, open: Closers, deps: ApiDeps) {
  const { pool, store, loader, progress, metrics, push } = deps;
  const auth = await openAuth(config, log, open, deps);
  const readMarkers = createReadMarkers({ pool, store, loader, progress });
  const idempotencyKeys = postgresIdempotencyKeys(pool);
  if (deps.isAlone) await idempotencyKeys.forgetInterrupted();

  const http = await createHttpServer({
    ...deps,
    storedLog: await openStoredLog(config, log, open, deps),
    ...auth,
    ...openOperations(deps),
    invitations: openInvitations(deps),
    siteUrl: config.siteUrl,
    ...deps.files,
    ...(await openProofs(config, open, deps)),
    maxFileBytes: config.maxFileBytes,
    erasureDelayHours: config.erasureDelayHours,
    jobConversations: config.jobConversations,
    threadReplyDays: config.threadReplyDays,
    publicUrl: config.publicUrl,
    webPages: await readWebPages(WEB),
    uploadOrigins: config.s3 && uploadOriginsOf(config.s3),
    pushSubscriptions: push.subscriptions,
    pushPublicKey: push.pusher.publicKey,
    pushPrivateHosts: config.pushPrivateHosts,
    head: () => store.head(),
    readMarkers,
    loadAccount: async (userId) => (await loader.refresh(accountOf(userId))).state,
    companyOf: (userId) => deps.queries.companyOfUser(userId),
    announceRead: (reading) => gateway.announceRead(reading),
    online: (userIds) => gateway.online(userIds),
    idempotencyKeys,
    asyncapi: asyncApiDocument(),
    metrics: { ...metrics, expose: deps.expose },
    log,
    isTracing: deps.tracing.isOn,
    newId,
    deriveId,
    settings: config,
  });
  const gateway = createGateway({
    ...deps,
    ...auth,
    httpServer: http.server,
    readMarkers,
    log,
    newId,
    clientAddress: clientAddressBehind(config.trustedProxies),
    settings: config,
  });
  metrics.servesSockets();
  await gateway.start();
  open.add('http', () => http.close());
  open.add('sockets', () => gateway.close());
  return {
    gateway,
    url: await listen(http, config),
    checks: {
      revocations: () =>
        auth.revocations.isHealthy() ? undefined : 'not read for 10 s; refusing all callers',
    },
  };
}
