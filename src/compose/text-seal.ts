import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type pg from 'pg';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import { isKey } from '../config/setting-kinds.ts';
import type { TextSeal } from '../events/personal-text.ts';
import { type KeyRing, type MasterKey, createKeyRing, masterKeyOf } from '../privacy/key-ring.ts';
import { createTextSeal } from '../privacy/text-seal.ts';
import { keepSecret } from '../adapters/disk/secrets.ts';
import { createSigningKeyStore } from '../adapters/postgres/tables/signing-keys.ts';
import { type StoredTextKeys, createTextKeys } from '../adapters/postgres/tables/text-keys.ts';

export type SealSettings = Pick<Config, 'masterKeys' | 'masterKeyFile' | 'databaseUrl' | 'dataDir'>;

/** Keys of personal text are wrapped with a master key that this process was not given. */
export class MasterKeyMissing extends Error {
  override readonly name = 'MasterKeyMissing';

  constructor(masterId: string) {
    super(
      `MASTER_KEY does not contain the key ${masterId}, with which keys in the database are wrapped: without it the text of the log cannot be read`,
    );
  }
}

const makeKey = () => randomBytes(32).toString('base64');

/** Reads the keys in a file: one in each line, the present one first. */
async function keysIn(path: string): Promise<Buffer[]> {
  const lines = (await readFile(path, 'utf8')).split(/[\s,]+/).filter((line) => line !== '');
  if (lines.length === 0 || !lines.every(isKey))
    throw new Error(`MASTER_KEY_FILE: ${path} must contain keys of 32 bytes in base64, one in each line`);
  return lines.map((line) => Buffer.from(line, 'base64'));
}

/**
 * Returns the master keys: those of the settings, or one that is made once. It is kept in the data folder, beside the
 * embedded database; or in the database that several processes share, and then only hides what a backup without that
 * table contains.
 */
async function masterKeys(
  { masterKeys: listed, masterKeyFile, databaseUrl, dataDir }: SealSettings,
  log: Logger,
  pool: pg.Pool,
): Promise<[MasterKey, ...MasterKey[]]> {
  const [present, ...earlier] = masterKeyFile === undefined ? listed : await keysIn(masterKeyFile);
  if (present !== undefined) return [masterKeyOf(present), ...earlier.map(masterKeyOf)];
  if (databaseUrl === undefined) {
    const kept = await keepSecret(join(resolve(dataDir), 'master.key'), makeKey);
    return [masterKeyOf(Buffer.from(kept, 'base64'))];
  }
  const kept = await createSigningKeyStore(pool).keep('master', makeKey);
  log.warn('MASTER_KEY is not set: the key that protects personal text is kept in the database beside it');
  return [masterKeyOf(Buffer.from(kept, 'base64'))];
}

export interface TextKeysInUse {
  textSeal: TextSeal;
  keyRing: KeyRing;
  stored: StoredTextKeys;
  masters: readonly [MasterKey, ...MasterKey[]];
}

/**
 * Opens the seal of personal text with the keys in a database. Throws `MasterKeyMissing` when one of them cannot be
 * read.
 */
export async function openTextSeal(
  settings: SealSettings,
  log: Logger,
  pool: pg.Pool,
): Promise<TextKeysInUse> {
  const masters = await masterKeys(settings, log, pool);
  const stored = createTextKeys(pool);
  const foreign = await stored.otherMaster(masters.map(({ id }) => id));
  if (foreign !== undefined) throw new MasterKeyMissing(foreign);
  const keyRing = createKeyRing({ stored, masters });
  return { textSeal: createTextSeal(keyRing), keyRing, stored, masters };
}
