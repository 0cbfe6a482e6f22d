import { join, resolve } from 'node:path';
import type { Logger } from 'pino';
import type { SignedLinks } from '../auth/tokens/signed-links.ts';
import type { HandleCommand } from '../commands/handle-command.ts';
import type { Config } from '../config.ts';
import type { EventStore } from '../events/event-store.ts';
import { inspect } from '../files/inspect/inspect.ts';
import { createInspector } from '../files/inspector.ts';
import { createOrphanJob } from '../files/orphans.ts';
import type { Sandbox } from '../files/inspect/sandbox.ts';
import { type ApplyFinding, createApplyFinding } from '../files/apply-finding.ts';
import { type FileStorage, storageKey } from '../files/storage.ts';
import { createThumbnails } from '../files/thumbnails.ts';
import { TIDIED, removeLeftoverBytes } from '../files/remove-leftover-bytes.ts';
import type { UploadQuotas } from '../files/upload-quotas.ts';
import { createClamdScanner } from '../adapters/clamd/scanner.ts';
import type { Closers } from '../kit/closers.ts';
import { createLocalStorage } from '../adapters/disk/storage.ts';
import type { Metrics } from '../adapters/prometheus/metrics.ts';
import { postgresCheckpoint } from '../adapters/postgres/tables/checkpoints.ts';
import { createPostgresClaims } from '../adapters/postgres/tables/claims.ts';
import { createInspectionTries } from '../adapters/postgres/tables/inspection-tries.ts';
import { createNonces } from '../adapters/postgres/tables/scan-reports.ts';
import { createUploadQuotas } from '../adapters/postgres/tables/upload-quotas.ts';
import { createProcessSandbox } from '../adapters/os/sandbox.ts';
import { openS3Storage } from '../adapters/s3/open-storage.ts';
import type { Progress } from '../projections/projection.ts';
import type { bindQueries } from '../queries/queries.ts';
import { followAutomations } from '../automations/follow-automations.ts';
import { whileLeading } from './while-leading.ts';
import type { DatabaseParts } from './log.ts';

/** Time after which a file that waits for an external report is overdue. */
const REPORT_OVERDUE_MS = 600_000;
const CATCH_UP_MS = 2_000;

/** Opens the storage of the bytes. `receiver` takes uploads if the storage cannot take them itself. */
async function openStorage(config: Config, log: Logger, links: SignedLinks, open: Closers) {
  if (!config.s3) {
    const dir = join(resolve(config.dataDir), 'files');
    const local = await createLocalStorage({ dir, links, minFreeBytes: config.minFreeDiskBytes });
    return { storage: local, receiver: local };
  }
  const storage = await openS3Storage(config.s3, { log });
  open.add('storage', () => storage.close());
  return { storage, receiver: undefined };
}

interface FileDeps extends Pick<DatabaseParts, 'databaseUrl' | 'pool' | 'background' | 'leases'> {
  store: EventStore;
  handle: HandleCommand;
  links: SignedLinks;
  queries: ReturnType<typeof bindQueries>;
  progress: Pick<Progress, 'reached'>;
  metrics: Metrics;
}

/** Opens the storage of files, and the settling of reports from an external scanner. */
export async function openFiles(config: Config, log: Logger, open: Closers, deps: FileDeps) {
  const { pool, store, handle, links } = deps;
  const { storage, receiver } = await openStorage(config, log, links, open);
  const sandbox = createProcessSandbox();
  open.add('sandbox', () => sandbox.close());
  const applyFinding = createApplyFinding({ handle, storage, makeThumbnail: createThumbnails(sandbox) });
  const quotas = createUploadQuotas(pool, config.uploadQuotas);
  const secrets = config.scanWebhookSecrets;
  return {
    storage,
    receiver,
    sandbox,
    applyFinding,
    quotas,
    scanReports:
      secrets.length === 0
        ? undefined
        : { secrets, nonces: createNonces(pool), store, handle, storage, applyFinding },
    checks: { storage: () => storage.failure() },
  };
}

interface FileWorkDeps extends FileDeps {
  storage: FileStorage;
  sandbox: Sandbox;
  applyFinding: ApplyFinding;
}

/** Inspects every uploaded file until the program stops. Resolves with the checks for readiness. */
async function startInspections(
  { clamdUrl }: Config,
  log: Logger,
  open: Closers,
  { databaseUrl, background, store, queries, metrics, storage, sandbox, applyFinding }: FileWorkDeps,
) {
  const scanner = clamdUrl === undefined ? undefined : createClamdScanner({ url: clamdUrl, log });
  if (!scanner)
    log.warn(
      'NO MALWARE SCANNER: files are checked for size and type only. Set CLAMD_URL or SCAN_WEBHOOK_SECRET',
    );
  const claims = createPostgresClaims({ url: databaseUrl, log });
  open.add('claims', () => claims.close());
  const inspector = createInspector({
    store,
    waiting: queries.filesToInspect,
    claims,
    tries: createInspectionTries(background),
    inspect: async (file, signal) => {
      const startedAt = performance.now();
      const key = storageKey('quarantine', file.fileId);
      const bytes = () => storage.read(key, { etag: file.etag });
      const finding = await inspect({ file, open: bytes, scanner, sandbox, signal });
      const outcome = finding.verdict === 'cleared' ? 'cleared' : finding.reason;
      metrics.fileDecided(outcome, (performance.now() - startedAt) / 1_000);
      return finding;
    },
    applyFinding,
    log,
  });
  await inspector.start();
  open.add('inspections', () => inspector.stop());
  return {
    ...(scanner && { scanner: () => scanner.failure() }),
    inspections: () => inspector.failure(),
  };
}

/** Removes from storage what is no longer needed, at intervals. */
function keepTidy(
  log: Logger,
  quotas: UploadQuotas,
  { background, store, queries, progress, handle, storage }: FileWorkDeps,
) {
  const tidy = followAutomations({
    store,
    automate: removeLeftoverBytes(storage, quotas),
    types: TIDIED,
    checkpoint: postgresCheckpoint(background, 'tidy'),
    log,
  });
  const orphans = createOrphanJob({
    store,
    orphans: queries.orphans,
    waiting: queries.filesToInspect,
    isCaughtUp: async () => progress.reached(await store.head(), CATCH_UP_MS, ['files', 'conversations']),
    handle,
    storage,
    quotas,
    log,
  });
  orphans.start();
  return {
    failure: () => tidy.failure()?.message,
    async stop() {
      await orphans.stop();
      await tidy.stop();
    },
  };
}

/** Starts all work on a file between its upload and its download. */
export async function startFileWork(config: Config, log: Logger, open: Closers, deps: FileWorkDeps) {
  const quotas = createUploadQuotas(deps.background, config.uploadQuotas);
  const tidying = whileLeading(deps.leases, 'files', () => keepTidy(log, quotas, deps));
  open.add('tidying up', () => tidying.stop());

  async function overdueReports(): Promise<string | undefined> {
    const overdue = await deps.queries.filesToInspect(1, new Date(Date.now() - REPORT_OVERDUE_MS));
    return overdue.length > 0 ? 'files have waited for more than 10 minutes for a report' : undefined;
  }
  const isScannedElsewhere = config.scanWebhookSecrets.length > 0 && config.clamdUrl === undefined;
  const inspections = isScannedElsewhere
    ? { scanner: overdueReports }
    : await startInspections(config, log, open, deps);
  return { ...inspections, tidy: () => tidying.running()?.failure() };
}
