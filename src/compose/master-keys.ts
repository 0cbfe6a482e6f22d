import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import type pg from 'pg';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import { KEY_BYTES, KMS_PREFIX } from '../config/setting-kinds.ts';
import { type MasterKey, masterKeyOf } from '../privacy/key-ring.ts';
import { keepSecret } from '../adapters/disk/secrets.ts';
import { createSigningKeyStore } from '../adapters/postgres/tables/signing-keys.ts';

export type MasterKeySettings = Pick<Config, 'masterKeys' | 'databaseUrl' | 'dataDir'>;
export type MasterKeys = readonly [MasterKey, ...MasterKey[]];

/** The master keys are not to be had, or are not those that are in use. */
export class BadMasterKey extends Error {
  override readonly name = 'BadMasterKey';
}

const newKey = () => randomBytes(KEY_BYTES).toString('base64');

/**
 * Makes a master key, and resolves with it as MASTER_KEY takes it. With the id or the ARN of a key of AWS KMS, it is
 * encrypted with that one. Loads the client of KMS only then.
 */
export async function makeMasterKey(kmsKeyId?: string): Promise<string> {
  if (kmsKeyId === undefined) return newKey();
  const { makeDataKey } = await import('../adapters/kms/data-keys.ts');
  return `${KMS_PREFIX}${(await makeDataKey(kmsKeyId)).toString('base64')}`;
}

/** Resolves with the key, of which AWS KMS decrypts one that it encrypted. */
async function open(key: string): Promise<MasterKey> {
  if (!key.startsWith(KMS_PREFIX)) return masterKeyOf(Buffer.from(key, 'base64'));
  const { KmsFailed, decryptDataKey } = await import('../adapters/kms/data-keys.ts');
  const encrypted = Buffer.from(key.slice(KMS_PREFIX.length), 'base64');
  const bytes = await decryptDataKey(encrypted).catch((error: unknown) => {
    if (!(error instanceof KmsFailed)) throw error;
    throw new BadMasterKey(`MASTER_KEY has a key that is not decrypted. ${error.message}`);
  });
  if (bytes.length !== KEY_BYTES)
    throw new BadMasterKey(
      `MASTER_KEY has a key that AWS KMS decrypts to ${bytes.length} bytes, not ${KEY_BYTES}`,
    );
  return masterKeyOf(bytes);
}

/**
 * Resolves with the master keys, the present one first: those of the settings, or one that is made once. It is kept in
 * the data folder, beside the embedded database; or in the database that several processes share, and then only hides
 * what a backup without that table contains. Throws `BadMasterKey`.
 */
export async function openMasterKeys(
  { masterKeys, databaseUrl, dataDir }: MasterKeySettings,
  log: Logger,
  pool: pg.Pool,
): Promise<MasterKeys> {
  const [present, ...earlier] = await Promise.all(masterKeys.map(open));
  if (present !== undefined) return [present, ...earlier];
  if (databaseUrl === undefined) {
    const kept = await keepSecret(join(resolve(dataDir), 'master.key'), newKey);
    return [masterKeyOf(Buffer.from(kept, 'base64'))];
  }
  const kept = await createSigningKeyStore(pool).keep('master', newKey);
  log.warn('MASTER_KEY is not set: the key that protects personal text is kept in the database beside it');
  return [masterKeyOf(Buffer.from(kept, 'base64'))];
}
