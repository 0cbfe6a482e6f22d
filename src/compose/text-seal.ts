import type pg from 'pg';
import type { Logger } from 'pino';
import type { TextSeal } from '../events/personal-text.ts';
import { type KeyRing, createKeyRing } from '../privacy/key-ring.ts';
import { createTextSeal } from '../privacy/text-seal.ts';
import { type StoredTextKeys, createTextKeys } from '../adapters/postgres/tables/text-keys.ts';
import { BadMasterKey, type MasterKeySettings, type MasterKeys, openMasterKeys } from './master-keys.ts';

export interface TextKeysInUse {
  textSeal: TextSeal;
  keyRing: KeyRing;
  stored: StoredTextKeys;
  masters: MasterKeys;
}

/**
 * Opens the seal of personal text with the keys in a database. Throws `BadMasterKey` when one of them cannot be
 * read.
 */
export async function openTextSeal(
  settings: MasterKeySettings,
  log: Logger,
  pool: pg.Pool,
): Promise<TextKeysInUse> {
  const masters = await openMasterKeys(settings, log, pool);
  const stored = createTextKeys(pool);
  const foreign = await stored.otherMaster(masters.map(({ id }) => id));
  if (foreign !== undefined)
    throw new BadMasterKey(
      `MASTER_KEY does not contain the key ${foreign}, with which keys in the database are wrapped: without it the text of the log cannot be read`,
    );
  const keyRing = createKeyRing({ stored, masters });
  return { textSeal: createTextSeal(keyRing), keyRing, stored, masters };
}
