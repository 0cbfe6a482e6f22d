import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { BadMasterKey, makeMasterKey, openMasterKeys } from '../../src/compose/master-keys.ts';
import { readConfig } from '../../src/config.ts';
import { unwrap, wrap } from '../../src/privacy/key-ring.ts';
import { linesOf } from '../support/log-lines.ts';
import { kmsStage } from '../support/stages/kms-stage.ts';
import { type TestDatabase, createTestDatabase } from '../support/stages/database.ts';

let database: TestDatabase;
let pool: pg.Pool;
let dir: string;
let kms: Awaited<ReturnType<typeof kmsStage>>;
beforeAll(async () => {
  [database, dir, kms] = await Promise.all([
    createTestDatabase(),
    mkdtemp(join(tmpdir(), 'chat-master-keys-')),
    kmsStage(),
  ]);
  pool = new pg.Pool({ connectionString: database.url });
});
afterAll(async () => {
  await pool.end();
  await kms.stop();
  await database.drop();
  await rm(dir, { recursive: true });
});

/** Opens the master keys like another process with these settings. */
async function opened(env: Record<string, string>) {
  const { log, lines } = linesOf('info');
  const config = readConfig({ DATA_DIR: dir, DATABASE_URL: database.url, ...env });
  const masters = await openMasterKeys(config, log, pool);
  return { masters, ids: masters.map(({ id }) => id), lines: lines() };
}
const inFile = async (keys: readonly string[]) => {
  const path = join(dir, 'keys');
  await writeFile(path, `${keys.join('\n')}\n`);
  return { MASTER_KEY_FILE: path };
};
const inSetting = async (keys: readonly string[]) => ({ MASTER_KEY: keys.join(', ') });
const plain = () => makeMasterKey();
const encrypted = () => makeMasterKey(kms.createKey());

describe.each([
  ['in MASTER_KEY', inSetting, plain],
  ['in a file', inFile, plain],
  ['that AWS KMS encrypted, in MASTER_KEY', inSetting, encrypted],
  ['that AWS KMS encrypted, in a file', inFile, encrypted],
] as const)('a master key %s', (_where, given, make) => {
  test('opens what it wrapped in another process', async () => {
    const env = await given([await make()]);
    const [master] = (await opened(env)).masters;
    const bytes = randomBytes(32);
    const { masterId, wrapped } = wrap(master, 'p.ada', bytes);
    const { masters, ids, lines } = await opened(env);
    expect(unwrap(masters[0], 'p.ada', wrapped)).toEqual(bytes);
    expect(ids).toEqual([masterId]);
    expect(lines).toEqual([]);
  });

  test('opens nothing of another', async () => {
    const [master] = (await opened(await given([await make()]))).masters;
    const { masters } = await opened(await given([await make()]));
    const { wrapped } = wrap(master, 'p.ada', randomBytes(32));
    expect(() => unwrap(masters[0], 'p.ada', wrapped)).toThrow();
  });

  test('comes first before the earlier ones, of whatever kind', async () => {
    const [first, second, third] = [await make(), await plain(), await encrypted()];
    const { ids } = await opened(await given([first, second, third]));
    expect(new Set(ids).size).toBe(3);
    expect((await opened(await given([third, first]))).ids).toEqual([ids[2], ids[0]]);
    expect((await opened(await given([first]))).ids).toEqual([ids[0]]);
  });
});

describe('a master key that AWS KMS encrypted', () => {
  test('is not shown by what is given', async () => {
    const key = await encrypted();
    expect(key).toMatch(/^kms:[A-Za-z0-9+/]+=*$/);
    const [{ key: present }] = (await opened({ MASTER_KEY: key })).masters;
    expect(Buffer.from(key.slice(4), 'base64').includes(present.export())).toBe(false);
  });

  test('and does not decrypt is named, with what KMS said', async () => {
    const env = await inFile([await plain(), `kms:${randomBytes(80).toString('base64')}`]);
    const error = await opened(env).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(BadMasterKey);
    expect((error as Error).message).toMatch(
      /^MASTER_KEY has a key that is not decrypted. AWS KMS answered InvalidCiphertextException/,
    );
  });

  test('but has another length is refused', async () => {
    const blob = kms.encrypt(kms.createKey(), randomBytes(16), { purpose: 'slay-e-chatapp-master-key' });
    await expect(opened({ MASTER_KEY: `kms:${blob.toString('base64')}` })).rejects.toThrow(
      'MASTER_KEY has a key that AWS KMS decrypts to 16 bytes, not 32',
    );
  });
});

test('A file of something else than master keys is refused', async () => {
  for (const text of ['a secret', 'kms:', 'KMS:AAAA'])
    await expect(opened(await inFile([text]))).rejects.toMatchObject({
      name: 'BadConfig',
      message: expect.stringMatching(/^MASTER_KEY_FILE: the content must be 32 bytes in base64/) as string,
    });
});

test('Without a master key, one is made and kept in the database, which is warned of', async () => {
  const { ids, lines } = await opened({});
  expect(lines).toEqual([expect.objectContaining({ msg: expect.stringContaining('MASTER_KEY is not set') })]);
  expect((await opened({})).ids).toEqual(ids);
});
