import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { createCheckpointFile } from '../../../src/adapters/disk/checkpoints.ts';
import { createPool } from '../../../src/adapters/postgres/connection.ts';
import { createPostgresEventStore } from '../../../src/adapters/postgres/event-log/event-store.ts';
import { createLeafReader } from '../../../src/adapters/postgres/event-log/leaves.ts';
import { openSealRecords } from '../../../src/adapters/postgres/tables/seals.ts';
import { type SealKey, sealKey, trustedKeys } from '../../../src/audit/checkpoint.ts';
import { leavesOf } from '../../../src/audit/leaf.ts';
import { createProofs } from '../../../src/audit/proofs.ts';
import { type SealerSettings, sealToHead, startSealer } from '../../../src/audit/sealer.ts';
import { type Verified, verify } from '../../../src/audit/verify.ts';
import type { EventStore } from '../../../src/events/event-store.ts';
import { range, say } from '../language/appends.ts';
import { createTestDatabase } from './database.ts';

const silent = pino({ level: 'silent' });

export const newSealKey = (): SealKey => sealKey(generateKeyPairSync('ed25519').privateKey);

/**
 * A log, by default on PostgreSQL, and what seals and verifies it, with the checkpoints in a file. The owner of the database
 * has one connection, so that a transaction on it is seen by whatever uses it.
 */
export async function sealStage({ store: given }: { store?: EventStore } = {}) {
  const database = await createTestDatabase();
  const dir = await mkdtemp(join(tmpdir(), 'chat-seal-'));
  const file = join(dir, 'checkpoints.ndjson');
  const pool = createPool({ url: database.url, max: 4, applicationName: 'seal', log: silent });
  const owner = createPool({ url: database.ownerUrl, max: 1, applicationName: 'owner', log: silent });
  const own = createPostgresEventStore({ pool, url: database.url, log: silent });
  if (!given) await own.start();
  const store = given ?? own;
  const key = newSealKey();
  const checkpoints = createCheckpointFile(file);
  const records = await openSealRecords(pool, 'here');
  const readLeaves = given ? leavesOf(given) : createLeafReader(pool);
  const settings = { store, readLeaves, records, checkpoints, key, log: silent };

  return {
    ...settings,
    dir,
    file,
    pool,
    owner,
    databaseUrl: database.ownerUrl,
    proofs: createProofs(settings),
    /** Appends events to some streams, together. */
    async append(count: number, streams = 3): Promise<void> {
      await Promise.all(
        range(count).map((n) => store.append(say(`conversation-${n % streams}`, `Message ${n}`))),
      );
    },
    seal: (changes: Partial<SealerSettings> = {}) => sealToHead({ ...settings, ...changes }),
    start: (changes: Partial<SealerSettings> = {}) =>
      startSealer({ ...settings, lookMs: 20, sealMs: 0, ...changes }),
    verify: (since?: Verified, changes: Partial<Parameters<typeof verify>[0]> = {}) =>
      verify({
        ...settings,
        isGapless: given === undefined,
        keys: trustedKeys([key.jwk]),
        since,
        ...changes,
      }),
    async close() {
      await own.close();
      await pool.end();
      await owner.end();
      await database.drop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
export type SealStage = Awaited<ReturnType<typeof sealStage>>;

/** Lets the owner change the log. */
export const DISARM = 'alter table events disable trigger events_are_never_changed';
