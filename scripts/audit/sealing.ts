import { readFile, rename, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { type TrustedKeys, SealJwk, trustedKeys } from '../../src/audit/checkpoint.ts';
import { createProofs } from '../../src/audit/proofs.ts';
import { sealToHead } from '../../src/audit/sealer.ts';
import type { ReadLeaves } from '../../src/audit/leaf.ts';
import { NotVerified, Verified, verify } from '../../src/audit/verify.ts';
import { findSealKey, openCheckpoints, openLeaves, openSealKey } from '../../src/compose/sealing.ts';
import type { Config } from '../../src/config.ts';
import { createSealKeys, openSealRecords } from '../../src/adapters/postgres/tables/seals.ts';
import { showProgress } from '../progress.ts';
import { Misused, type Print, Refused, count } from '../program.ts';
import { type OpenedDatabase, openLog, withDatabase } from '../with-database.ts';

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

/** Opens the log and what the sealer keeps, for the duration of `work`. */
const withSeals = (work: (opened: Opened) => Promise<void>): Promise<void> =>
  withDatabase({ name: 'audit' }, async (opened) => {
    const { config, log, open, pool } = opened;
    const { kind, store } = await openLog(opened);
    const checkpoints = openCheckpoints(config);
    open.add('checkpoints', () => checkpoints.close());
    const records = await openSealRecords(pool, config.seal.url);
    const readLeaves = openLeaves(config, { pool, store });
    const sealKeys = createSealKeys(pool);
    return work({ config, kind, store, readLeaves, checkpoints, records, log, sealKeys });
  });
type Opened = {
  readLeaves: ReadLeaves;
  checkpoints: ReturnType<typeof openCheckpoints>;
  records: Awaited<ReturnType<typeof openSealRecords>>;
  sealKeys: ReturnType<typeof createSealKeys>;
} & Pick<OpenedDatabase, 'config' | 'log'> &
  Pick<Awaited<ReturnType<typeof openLog>>, 'kind' | 'store'>;

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
const verifyLog = ({ since, keys }: SealingValues, print: Print) =>
  withSeals(async ({ config, kind, store, checkpoints, records }) => {
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
      const upTo = verified?.checkpoint;
      print({ holds: true, events, checkpoints: found.checkpoints, upTo, unsealed, seconds }, [
        `${count(events)} events and ${count(found.checkpoints)} checkpoints hold`,
        ...(upTo ? [`up to position ${upTo.position}, ${count(upTo.size)} events`] : []),
        `${count(unsealed)} events are not sealed yet`,
        `${seconds.toFixed(1)} s, ${count(events / seconds)} events/s`,
      ]);
    } catch (error) {
      progress.stop();
      if (!(error instanceof NotVerified)) throw error;
      const { position, message } = error;
      print({ holds: false, position, reason: message }, `DOES NOT HOLD at position ${position}: ${message}`);
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

const sealLog = (print: Print) =>
  withSeals(async ({ config, store, readLeaves, checkpoints, records, log, sealKeys }) => {
    const key = await openSealKey(config);
    await sealKeys.publish(key.jwk);
    const begun = (await records.head())?.size ?? 0;
    const total = Math.max(await store.head(), 1);
    const progress = showProgress('sealing');
    const onSealed = (size: number) => progress.reach(Math.min(size, total), total, size - begun);
    try {
      const sealed = await sealToHead({ store, readLeaves, checkpoints, records, key, log, onSealed });
      progress.stop();
      if (!sealed) return print({ sealed: 0, size: 0, position: null }, 'the log is empty');
      const { size, position } = sealed;
      print(
        { sealed: size - begun, size, position },
        `sealed ${count(size - begun)} more events, ${count(size)} in all, up to position ${position}`,
      );
    } finally {
      progress.stop();
    }
  });

const prove = (print: Print, asked = '') =>
  withSeals(async ({ store, records, checkpoints }) => {
    const position = Number(asked);
    if (!/^\d{1,16}$/.test(asked) || position < 1 || !Number.isSafeInteger(position))
      throw new Misused(`${asked || 'nothing'} is not a position`);
    const { event, ...proof } = await createProofs({ store, records, checkpoints }).inclusion({ position });
    const named = { ...event, position: String(event.position) };
    const whole = { ...proof, position: String(position), event: named };
    print(whole, JSON.stringify(whole, undefined, 2));
  });

const listCheckpoints = (print: Print) =>
  withSeals(async ({ checkpoints }) => {
    for await (const checkpoint of checkpoints.all()) print(checkpoint, JSON.stringify(checkpoint));
  });

type Seals = (values: SealingValues, argument: string | undefined, print: Print) => Promise<void>;
export const sealingCommands: Record<string, Seals> = {
  verify: (values, _argument, print) => verifyLog(values, print),
  seal: (_values, _argument, print) => sealLog(print),
  prove: (_values, position, print) => prove(print, position),
  checkpoints: (_values, _argument, print) => listCheckpoints(print),
};
