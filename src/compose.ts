import type { Logger } from 'pino';
import { createSignedLinks } from './auth/tokens/signed-links.ts';
import { AggregateLoader } from './commands/aggregate-cache.ts';
import { commandHandler } from './commands/handle-command.ts';
import { startApi } from './compose/api.ts';
import { openKeys } from './compose/auth.ts';
import { openCluster, watchForOthers } from './compose/cluster.ts';
import { openFiles, startFileWork } from './compose/files.ts';
import { keepHouse } from './compose/housekeeping.ts';
import { listen } from './compose/listen.ts';
import { openEpoch } from './compose/log-watch.ts';
import { openLog, openPostgres, openQueries } from './compose/log.ts';
import {
  openNotifications,
  openPush,
  startNotificationWorkers,
  startNotifications,
} from './compose/notifications.ts';
import { startAutomations } from './compose/automations.ts';
import { openReadModels, prepareReadModels } from './compose/read-models.ts';
import { startErasures } from './compose/privacy.ts';
import { startRealtime } from './compose/realtime.ts';
import { partsOf } from './compose/parts.ts';
import { openTracing } from './compose/tracing.ts';
import { startSealing } from './compose/sealing.ts';
import { watchDeployment } from './compose/watch.ts';
import type { Config, Role } from './config.ts';
import { type Checks, createReadiness } from './http/readiness.ts';
import type { Readiness } from './http/route-deps.ts';
import { createStatusServer } from './http/status-server.ts';
import { type Closers, closers } from './kit/closers.ts';
import { createFoldCache } from './adapters/memory/fold-cache.ts';
import { deriveId, newId } from './kit/uuids.ts';
import { createOneAtATime } from './commands/one-at-a-time.ts';
import { createMeasures } from './adapters/prometheus/measures.ts';
import { type Figures, type Metrics, createMetrics } from './adapters/prometheus/metrics.ts';
import { readBuild } from './adapters/os/build.ts';
import { createWriteProbe } from './adapters/postgres/write-probe.ts';
import { createLookups } from './adapters/postgres/tables/message-facts.ts';
import { automationRunner } from './automations/run-automations.ts';
import { causes } from './automations/automations.ts';
import { whereaboutsElsewhere } from './realtime/presence/received.ts';

export interface App {
  /** The URL that it listens on. */
  url: string;
  /** Resolves with the reason when this process must end at once, without stopping anything in order. */
  failed: Promise<Error>;
  /** Stops the parts in the reverse order of their start, see docs/operations.md. */
  stop(): Promise<void>;
}

/** The status port listens on loopback only, because it shows details that strangers must not see. */
const LOOPBACK = '127.0.0.1';

/**
 * Builds everything that the roles of this process need from its settings, and starts it, with the functions
 * of `compose/`. Rejects with a clear error, after closing everything again, when a part cannot start.
 */
export async function compose(
  config: Config,
  log: Logger,
  figures: Pick<Figures, 'lostLines'> = {},
): Promise<App> {
  const open = closers(log);
  try {
    const { promise: failed, resolve: ended } = Promise.withResolvers<Error>();
    return await start(config, log, open, { figures, failed, ended });
  } catch (error) {
    await open.closeAll().catch(() => {});
    throw error;
  }
}

async function start(
  config: Config,
  log: Logger,
  open: Closers,
  {
    figures,
    failed,
    ended,
  }: { figures: Pick<Figures, 'lostLines'>; failed: Promise<Error>; ended: (reason: Error) => void },
): Promise<App> {
  const does = (role: Role) => config.roles.has(role);
  const logKind = config.eventStoreDbUrl === undefined ? 'postgresql' : 'eventstoredb';
  const build = { ...(await readBuild()), node: process.versions.node, log: logKind };
  const { version, commit, node } = build;
  log.info({ version, commit, node, roles: [...config.roles], ...partsOf(config) }, 'starting');
  const counted = createMetrics({ ...figures, build });
  const tracing = await openTracing(config, log, open, { version, metrics: counted });
  const { cluster, rateLimits, checks: clusterChecks } = await openCluster(config, log, open, counted);
  const database = await openPostgres(config, log, open);
  const { pool } = database;
  const writing = createWriteProbe(pool);
  const metrics: Metrics = {
    ...counted,
    refused(code) {
      counted.refused(code);
      if (code === 'UNAVAILABLE') writing.suspect();
    },
  };
  const eventLog = await openLog(config, log, metrics, open, database);
  const { store } = eventLog;
  const positions = await openEpoch(config, log, open, { ...database, ...eventLog, cluster }, ended);
  await prepareReadModels(config, log, database, store);
  const readModels = openReadModels(config, log, open, { ...database, store, tracing });
  const { progress } = readModels;

  const loader = new AggregateLoader(store, createFoldCache());
  const lookups = createLookups({ store, pool, progress });
  const handle = commandHandler({
    store,
    loader,
    lookups,
    automate: (events) => automate(events),
    causes,
    oneAtATime: createOneAtATime(),
    newId,
    deriveId,
    now: () => new Date(),
    tracing,
  });
  const automate = automationRunner({ handle, log });
  const { keyRing } = eventLog;
  const core = {
    ...database,
    cluster,
    rateLimits,
    store,
    positions,
    loader,
    lookups,
    handle,
    progress,
    metrics,
    tracing,
  };
  const automations = does('projector') ? startAutomations(log, open, { ...core, automate }) : undefined;

  const keys = await openKeys(config, log, open, database.logins);
  const links = createSignedLinks(keys.linkSecrets);
  const queries = await openQueries(log, open, database);
  const files = await openFiles(config, log, open, { ...core, links, queries });
  const push = openPush(config, log, pool);

  let isServing = false;
  const needed: Checks[] = [
    { process: () => (isServing ? undefined : 'starting or stopping') },
    { database: writing.failure },
    { ...eventLog.checks, ...readModels.checks, ...automations?.checks },
  ];
  const erasures = await startErasures(config, log, open, { ...core, keyRing });
  const watch = watchDeployment(config, core);
  needed.push(watch.needed);
  const others = await watchForOthers(config, log, open, { ...database, version: build.version });
  const useful: Checks[] = [watch.useful, erasures, clusterChecks, eventLog.useful, others.checks];
  const measures = createMeasures(metrics.measureFresh);
  const readiness = createReadiness({
    needed: () => Object.assign({}, ...needed) as Checks,
    useful: () => Object.assign({}, ...useful) as Checks,
    changed: (dependency, now) =>
      log[now.status === 'ok' ? 'info' : 'warn']({ dependency, ...now }, 'readiness changed'),
  });
  for (const [name, measure] of Object.entries(watch.measures)) measures.add(name, measure);
  measures.add('readiness', async () => metrics.readiness(await readiness()));
  const serving = {
    readiness,
    async expose() {
      await measures.refresh();
      return metrics.expose();
    },
  };

  const api = does('api')
    ? await startApi(config, log, open, { ...core, ...serving, keys, links, queries, files, push })
    : undefined;
  if (api) needed.push(api.checks);
  const status = { ...serving, metrics };
  const url = api?.url ?? (await serveStatus(config, log, open, status));
  if (config.statusPort !== undefined) {
    const statusUrl = await serveStatus({ host: LOOPBACK, port: config.statusPort }, log, open, status);
    log.info({ url: statusUrl }, 'serving health details on the status port');
  }
  database.mayLead();
  if (cluster && does('realtime')) {
    const realtime = startRealtime(log, open, {
      ...{ ...core, queries },
      ...{ bus: cluster.bus, delivery: api?.gateway.delivery },
    });
    useful.push(realtime.checks);
  }

  if (does('notifier') || does('worker')) {
    const notifications = { ...core, ...(await openNotifications(config, log, open, core)) };
    const { queue } = notifications;
    measures.add('queue', async () => {
      for (const { queue: name, messages } of await queue.depths()) metrics.queueDepth(name, messages);
    });
    if (does('worker')) {
      const worker = { ...notifications, ...push, links, url: config.publicUrl ?? url };
      useful.push(await startNotificationWorkers(config, log, open, worker));
      useful.push(
        files.checks,
        await startFileWork(config, log, open, { ...core, ...files, links, queries }),
      );
      keepHouse(log, open, notifications);
    }
    if (does('notifier')) {
      const whereabouts = others.guard(api?.gateway.whereabouts ?? whereaboutsElsewhere(cluster!.registry));
      const notifier = startNotifications(log, open, { ...notifications, whereabouts });
      useful.push(notifier.checks);
    }
  }
  useful.push(await startSealing(config, log, open, core));
  isServing = true;
  log.info({ url, roles: [...config.roles] }, 'listening');
  open.add('draining', () => {
    isServing = false;
    api?.gateway.drain();
  });
  return { url, failed, stop: () => open.closeAll() };
}

/** Serves the details of health, and metrics: on the status port, and in processes without an API. */
async function serveStatus(
  at: Pick<Config, 'host' | 'port'>,
  log: Logger,
  open: Closers,
  {
    metrics,
    ...serving
  }: { metrics: Metrics; readiness: () => Promise<Readiness>; expose: Metrics['expose'] },
): Promise<string> {
  const { readiness, expose } = serving;
  const http = createStatusServer({ readiness, metrics: { ...metrics, expose }, log, newId });
  open.add('status', () => http.close());
  return listen(http, at);
}
