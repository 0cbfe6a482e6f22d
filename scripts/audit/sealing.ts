import { readFile, rename, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { type TrustedKeys, SealJwk, trustedKeys } from '../../src/audit/checkpoint.ts';
import { createProofs } from '../../src/audit/proofs.ts';
import { sealToHead } from '../../src/audit/sealer.ts';
import type { ReadLeaves } from '../../src/audit/leaf.ts';
import { NotVerified, Verified, verify } from '../../src/audit/verify.ts';
import { findSealKey, openCheckpoints, openLeaves, openSealKey } from '../../src/compose/sealing.ts';
import { createLog } from '../../src/compose/log.ts';
import { type Config, readConfig } from '../../src/config.ts';
import { closers } from '../../src/kit/closers.ts';
import { openDatabase } from '../../src/adapters/embedded-postgres/open-database.ts';
import { createLogger } from '../../src/adapters/pino/logger.ts';
import { APP_ROLE, createPool } from '../../src/adapters/postgres/connection.ts';
import { prepareDatabase } from '../../src/adapters/postgres/prepare-database.ts';
import { createSealKeys, openSealRecords } from '../../src/adapters/postgres/tables/seals.ts';
import { showProgress } from '../progress.ts';
import { Refused } from './reading.ts';

export const SEALING_USAGE = `
  verify            compares the log with its checkpoints, and prints the first position that does not hold
  seal              seals the log up to its head
  prove <position>  prints the proof that an event is among those of the last checkpoint, as JSON
  checkpoints       prints the checkpoints, one on each line

  --since <file>    verify goes on from what was verified last, which is kept in this file
  --keys <file>     the public keys that are trusted, as GET /.well-known/seal-keys.json answers; by default the key of
                    this machine
`;

const string = { type: 'string' } as const;
export const sealingOptions = { since: string, keys: string };
type SealingValues = { [N in keyof typeof sealingOptions]?: string };

const say = (line: string) => void process.stdout.write(`${line}\n`);
const count = (n: number) => Math.round(n).toLocaleString('en');

/** Opens the log and what the sealer keeps, for the duration of `work`. */
async function withLog<T>(work: (opened: Opened) => Promise<T>): Promise<T> {
  const config = readConfig(process.env);
  const log = createLogger({ level: 'error', destination: process.stderr });
  const open = closers(log);
  try {
    const database = await openDatabase({ databaseUrl: config.databaseUrl, dataDir: config.dataDir, log });
    open.add('database', () => database.close());
    const databaseUrl = await prepareDatabase(database.ownerUrl, config.databaseOwnerUrl);
    const pool = createPool({ url: databaseUrl, role: APP_ROLE, max: 4, applicationName: 'audit', log });
    open.add('pool', () => pool.end());
    const { kind, store } = await createLog(config, log, { databaseUrl, pool });
    open.add('log', () => store.close());
    const checkpoints = openCheckpoints(config);
    open.add('checkpoints', () => checkpoints.close());
    const records = await openSealRecords(pool, config.seal.url);
    const readLeaves = openLeaves(config, { pool, store });
    const sealKeys = createSealKeys(pool);
    return await work({ config, kind, store, readLeaves, checkpoints, records, log, sealKeys });
  } finally {
    await open.closeAll();
  }
}
type Opened = {
  config: Config;
  readLeaves: ReadLeaves;
  checkpoints: ReturnType<typeof openCheckpoints>;
  records: Awaited<ReturnType<typeof openSealRecords>>;
  log: ReturnType<typeof createLogger>;
  sealKeys: ReturnType<typeof createSealKeys>;
} & Pick<Awaited<ReturnType<typeof createLog>>, 'kind' | 'store'>;

const Jwks = z.looseObject({ keys: z.array(SealJwk).min(1) });

async function parseFile<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  try {
    return schema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    const reason = error instanceof z.ZodError ? 'it has another form' : (error as Error).message;
    throw new Refused(`${path} cannot be used: ${reason}`);
  }
}

/** Resolves with the keys of a file; without one, with the key of this machine's settings. */
async function keysFrom(path: string | undefined, config: Config): Promise<TrustedKeys> {
  if (path !== undefined) return trustedKeys((await parseFile(path, Jwks)).keys);
  const key = await findSealKey(config);
  if (!key)
    throw new Refused('The key is not on this machine: name a file of public keys with --keys <file>');
  return trustedKeys([key.jwk]);
}

/** Compares the log with its checkpoints. What does not hold is printed, and makes the exit code 1. */
const verifyLog = ({ since, keys }: SealingValues) =>
  withLog(async ({ config, kind, store, checkpoints, records }) => {
    const trusted = await keysFrom(keys, config);
    const known = since === undefined ? undefined : await readVerified(since);
    const from = Number(known?.checkpoint.position ?? 0);
    const total = Math.max((await store.head()) - from, 1);
    const begun = performance.now();
    const progress = showProgress('verifying');
    try {
      const isGapless = kind === 'postgresql';
      const onStep = (position: number) => progress.reach(Math.min(position - from, total), total);
      const settings = { store, checkpoints, records, keys: trusted, isGapless, since: known, onStep };
      const { verified, events, unsealed, ...found } = await verify(settings);
      progress.stop();
      if (since !== undefined && verified) await writeVerified(since, verified);
      const seconds = (performance.now() - begun) / 1_000;
      say(`${count(events)} events and ${count(found.checkpoints)} checkpoints hold`);
      if (verified) {
        const { position, size } = verified.checkpoint;
        say(`up to position ${position}, ${count(size)} events`);
      }
      say(`${count(unsealed)} events are not sealed yet`);
      say(`${seconds.toFixed(1)} s, ${count(events / seconds)} events/s`);
    } catch (error) {
      progress.stop();
      if (!(error instanceof NotVerified)) throw error;
      say(`DOES NOT HOLD at position ${error.position}: ${error.message}`);
      process.exitCode = 1;
    }
  });

async function readVerified(path: string): Promise<Verified | undefined> {
  try {
    await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  return parseFile(path, Verified);
}

async function writeVerified(path: string, verified: Verified): Promise<void> {
  await writeFile(`${path}.new`, `${JSON.stringify(verified)}\n`, { flush: true });
  await rename(`${path}.new`, path);
}

const sealLog = () =>
  withLog(async ({ config, store, readLeaves, checkpoints, records, log, sealKeys }) => {
    const key = await openSealKey(config);
    await sealKeys.publish(key.jwk);
    const begun = (await records.head())?.size ?? 0;
    const total = Math.max(await store.head(), 1);
    const progress = showProgress('sealing');
    const onSealed = (size: number) => progress.reach(Math.min(size, total), total, size - begun);
    try {
      const sealed = await sealToHead({ store, readLeaves, checkpoints, records, key, log, onSealed });
      progress.stop();
      if (!sealed) say('the log is empty');
      else {
        const { size, position } = sealed;
        say(`sealed ${count(size - begun)} more events, ${count(size)} in all, up to position ${position}`);
      }
    } finally {
      progress.stop();
    }
  });

const prove = (asked = '') =>
  withLog(async ({ store, records, checkpoints }) => {
    const position = Number(asked);
    if (!/^\d{1,16}$/.test(asked) || position < 1 || !Number.isSafeInteger(position))
      throw new Refused(`${asked || 'nothing'} is not a position`);
    const { event, ...proof } = await createProofs({ store, records, checkpoints }).inclusion({ position });
    const named = { ...event, position: String(event.position) };
    say(JSON.stringify({ ...proof, position: String(position), event: named }, undefined, 2));
  });

const listCheckpoints = () =>
  withLog(async ({ checkpoints }) => {
    for await (const checkpoint of checkpoints.all()) say(JSON.stringify(checkpoint));
  });

type Command = (values: SealingValues, argument: string | undefined) => Promise<void>;
export const sealingCommands: Record<string, Command> = {
  verify: (values) => verifyLog(values),
  seal: () => sealLog(),
  prove: (_values, position) => prove(position),
  checkpoints: () => listCheckpoints(),
};
