import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type pg from 'pg';
import type { Logger } from 'pino';
import type { CheckpointStore } from '../audit/checkpoint-store.ts';
import { type SealKey, sealKey } from '../audit/checkpoint.ts';
import { createProofs } from '../audit/proofs.ts';
import { type ReadLeaves, leavesOf } from '../audit/leaf.ts';
import { startSealer } from '../audit/sealer.ts';
import type { Config } from '../config.ts';
import type { EventStore } from '../events/event-store.ts';
import type { Checks } from '../http/readiness.ts';
import type { Closers } from '../kit/closers.ts';
import { newId } from '../kit/uuids.ts';
import { createLeafReader } from '../adapters/postgres/event-log/leaves.ts';
import { createCheckpointFile } from '../adapters/disk/checkpoints.ts';
import { syncFolder } from '../adapters/disk/objects.ts';
import type { Leases } from '../adapters/postgres/leases.ts';
import { createSealKeys, openSealRecords } from '../adapters/postgres/tables/seals.ts';
import type { Metrics } from '../adapters/prometheus/metrics.ts';
import { createS3Checkpoints } from '../adapters/s3/checkpoints.ts';
import { whileLeading } from './while-leading.ts';

const KEY_FILE = 'seal-key.pem';

/** Opens the place of the checkpoints. */
export function openCheckpoints({ seal }: Pick<Config, 'seal'>): CheckpointStore & { close(): void } {
  if (seal.s3) return createS3Checkpoints(seal.s3);
  return { ...createCheckpointFile(seal.file), close: () => {} };
}

/** Resolves with the key that is set, or kept in the data folder; undefined when none was made yet. */
export async function findSealKey({
  seal,
  dataDir,
}: Pick<Config, 'seal' | 'dataDir'>): Promise<SealKey | undefined> {
  if (seal.privateKey !== undefined) return sealKey(createPrivateKey(seal.privateKey));
  const pem = await readFile(join(resolve(dataDir), KEY_FILE)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  return pem && sealKey(createPrivateKey(pem));
}

/** Resolves with the key of this sealer, which is made when there is none. */
export async function openSealKey(config: Pick<Config, 'seal' | 'dataDir'>): Promise<SealKey> {
  const found = await findSealKey(config);
  if (found) return found;
  const dir = resolve(config.dataDir);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const aside = join(dir, `${KEY_FILE}.${newId()}`);
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
  try {
    await writeFile(aside, pem, { flag: 'wx', mode: 0o600, flush: true });
    // The first of two processes wins.
    await link(aside, join(dir, KEY_FILE)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(aside, { force: true });
  }
  await syncFolder(dir);
  return (await findSealKey(config))!;
}

/** Returns the reading of the log for a sealer: in PostgreSQL, that makes the leaves. */
export const openLeaves = (
  { eventStoreDbUrl }: Pick<Config, 'eventStoreDbUrl'>,
  { pool, store }: { pool: pg.Pool; store: Pick<EventStore, 'readStored'> },
): ReadLeaves => (eventStoreDbUrl === undefined ? createLeafReader(pool) : leavesOf(store));

interface SealingDeps {
  background: pg.Pool;
  store: EventStore;
}

/** Opens what the audit routes answer from. */
export async function openProofs(config: Config, open: Closers, { background: pool, store }: SealingDeps) {
  const checkpoints = openCheckpoints(config);
  open.add('checkpoints', () => checkpoints.close());
  const records = await openSealRecords(pool, config.seal.url);
  return {
    checkpoints,
    proofs: createProofs({ store, records, checkpoints }),
    sealKeys: createSealKeys(pool),
  };
}

/** Seals the log wherever this process has the role and leads. Resolves with the checks for readiness. */
export async function startSealing(
  config: Config,
  log: Logger,
  open: Closers,
  { background: pool, store, leases, metrics }: SealingDeps & { leases: Leases; metrics: Metrics },
): Promise<Checks> {
  if (!config.roles.has('sealer')) return {};
  const checkpoints = openCheckpoints(config);
  open.add('checkpoints of the sealer', () => checkpoints.close());
  const key = await openSealKey(config);
  await createSealKeys(pool).publish(key.jwk);
  const records = await openSealRecords(pool, config.seal.url);
  metrics.sealBroken(false);
  const sealing = whileLeading(leases, 'seal', () =>
    startSealer({
      ...{ store, records, checkpoints, key, log },
      readLeaves: openLeaves(config, { pool, store }),
      onSealed: metrics.sealed,
      onBroken: () => metrics.sealBroken(true),
    }),
  );
  open.add('sealer', () => sealing.stop());
  return { seal: () => sealing.running()?.failure() };
}
