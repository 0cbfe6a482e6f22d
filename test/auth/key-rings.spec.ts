import { generateKeyPairSync } from 'node:crypto';
import pg from 'pg';
import { ACCESS_KEYS, createAccessKeys, keepAccessKey } from '../../src/auth/tokens/access-keys.ts';
import { type KeyRing, openKeyRing } from '../../src/auth/tokens/key-rings.ts';
import { NotRotated, rotateKey } from '../../src/auth/tokens/rotate-key.ts';
import { createSignedLinks } from '../../src/auth/tokens/signed-links.ts';
import { type SigningKey, loadSigningKey } from '../../src/auth/tokens/signing-keys.ts';
import { createSigningKeyStore } from '../../src/adapters/postgres/tables/signing-keys.ts';
import { EXPIRED } from '../../src/adapters/postgres/housekeeping.ts';
import { deleteInSlices } from '../../src/adapters/postgres/delete-in-slices.ts';
import { until } from '../../tools/until.ts';
import { linesOf } from '../support/log-lines.ts';
import { silent } from '../support/stages/auth-stage.ts';
import { type TestDatabase, createTestDatabase } from '../support/stages/database.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

let database: TestDatabase;
let pool: pg.Pool;
let store: ReturnType<typeof createSigningKeyStore>;
const rings: KeyRing<unknown>[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  pool = new pg.Pool({ connectionString: database.url });
  store = createSigningKeyStore(pool);
});
beforeEach(() => pool.query('delete from signing_keys'));
afterEach(async () => {
  await Promise.all(rings.splice(0).map((ring) => ring.stop()));
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

/** A process of its own, whose clock is set; it reads the store only when it is told to. */
async function open<K>(name: string, parse: (text: string) => K | Promise<K>, pollMs = HOUR_MS) {
  const clock = { ms: 0 };
  const now = () => Date.now() + clock.ms;
  const ring = await openKeyRing({ name, store, parse, log: silent, pollMs, now });
  rings.push(ring);
  return { ring, at: (ms: number) => void (clock.ms = ms) };
}
const openSecrets = (name: string, pollMs?: number) => open(name, (text) => text, pollMs);
const rotation = (name: string, key: string) => ({ name, make: () => key });

describe('A key that is rotated', () => {
  const how = { leadSeconds: 600, lifetimeSeconds: 3_600 };

  test('is next, then present, then previous, then gone, by one clock for all', async () => {
    await store.keep('a key', () => 'old');
    expect(await rotateKey(store, rotation('a key', 'new'), how)).toBe(2);
    const { ring, at } = await openSecrets('a key');
    expect(ring.accepted()).toEqual(['old', 'new']);
    at(9 * MINUTE_MS);
    expect(ring.accepted()).toEqual(['old', 'new']);
    at(11 * MINUTE_MS);
    expect(ring.accepted()).toEqual(['new', 'old']);
    at(69 * MINUTE_MS);
    expect(ring.accepted()).toEqual(['new', 'old']);
    at(71 * MINUTE_MS);
    expect(ring.accepted()).toEqual(['new']);
  });

  test('is deleted once it is retired, and its numbers go on', async () => {
    await store.keep('a key', () => '1');
    await rotateKey(store, rotation('a key', '2'), how);
    const expired = EXPIRED.find(({ table }) => table === 'signing_keys')!;
    expect(await deleteInSlices(pool, expired, { now: new Date() })).toBe(0);
    expect(await deleteInSlices(pool, expired, { now: new Date(Date.now() + 71 * MINUTE_MS) })).toBe(1);
    await pool.query(`update signing_keys set signs_at = now()`);
    expect(await rotateKey(store, rotation('a key', '3'), how)).toBe(3);
    expect((await store.versions('a key')).map(({ key }) => key)).toEqual(['2', '3']);
  });

  test('is replaced at once, with every other version, when it is leaked', async () => {
    await store.keep('a key', () => 'leaked');
    await rotateKey(store, rotation('a key', 'leaked as well'), how);
    const { ring } = await openSecrets('a key', 10);
    await rotateKey(store, rotation('a key', 'new'), 'now');
    await until(() => ring.accepted().join() === 'new', 'the process to read the store');
  });

  test('is not rotated before there is one, nor while the next one waits', async () => {
    await expect(rotateKey(store, rotation('a key', 'new'), how)).rejects.toThrow(NotRotated);
    await store.keep('a key', () => 'old');
    await rotateKey(store, rotation('a key', 'new'), how);
    await expect(rotateKey(store, rotation('a key', 'newer'), how)).rejects.toThrow('signs in 10 min');
  });

  test('is rotated once by many who try together', async () => {
    await store.keep('a key', () => 'old');
    const tries = Array.from({ length: 8 }, (_, n) => rotateKey(store, rotation('a key', `new ${n}`), how));
    const outcomes = await Promise.allSettled(tries);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await store.versions('a key')).toHaveLength(2);
  });

  test('is looked for at most once a second, however many ask', async () => {
    await store.keep('a key', () => 'old');
    let reads = 0;
    const counting = {
      versions: (name: string) => {
        reads += 1;
        return store.versions(name);
      },
    };
    const options = { name: 'a key', parse: (text: string) => text, log: silent, pollMs: HOUR_MS };
    const ring = await openKeyRing({ ...options, store: counting });
    rings.push(ring);
    await rotateKey(store, rotation('a key', 'new'), how);
    await Promise.all(Array.from({ length: 100 }, () => ring.look()));
    expect(ring.accepted()).toEqual(['old', 'new']);
    for (let n = 0; n < 100; n += 1) await ring.look();
    expect(reads).toBe(2);
  });

  test('stays in use, with a warning, while the store is out of reach', async () => {
    await store.keep('a key', () => 'old');
    let isDown = false;
    const { log, lines } = linesOf('warn');
    const failing = {
      versions: (name: string) => (isDown ? Promise.reject(new Error('down')) : store.versions(name)),
    };
    const ring = await openKeyRing({
      ...{ name: 'a key', parse: (text: string) => text, store: failing, log },
      pollMs: 10,
    });
    rings.push(ring);
    isDown = true;
    await until(() => lines().length > 0, 'the warning');
    expect(lines()[0]).toMatchObject({ key: 'a key', err: { message: 'down' } });
    expect(ring.accepted()).toEqual(['old']);
  });
});

describe('A secret of links', () => {
  test('opens the links that it signed after it was replaced, until they have all ended', async () => {
    await store.keep('links', () => 'old');
    const [here, there] = [await openSecrets('links', 10), await openSecrets('links', 10)];
    const signedBy = ({ ring, at }: typeof here) => ({
      at,
      links: createSignedLinks(() => ring.accepted().map((text) => Buffer.from(text.padEnd(32)))),
    });
    const [a, b] = [signedBy(here), signedBy(there)];
    const soon = () => Date.now() + 10 * HOUR_MS;
    const early = a.links.sign('unsubscribe', { userId: 'ada' }, soon());
    await rotateKey(store, rotation('links', 'new'), { leadSeconds: 60, lifetimeSeconds: 7_200 });
    await until(() => here.ring.accepted().length + there.ring.accepted().length === 4, 'both to know it');
    a.at(2 * MINUTE_MS);
    const late = a.links.sign('unsubscribe', { userId: 'ada' }, soon());
    expect(late).not.toBe(early);
    for (const each of [early, late]) expect(b.links.open('unsubscribe', each)).toEqual({ userId: 'ada' });
    b.at(3 * HOUR_MS);
    expect(b.links.open('unsubscribe', early)).toBeUndefined();
    expect(b.links.open('unsubscribe', late)).toEqual({ userId: 'ada' });
  });
});

describe('The key of access tokens', () => {
  const openKeys = async () => {
    const { ring, at } = await open<SigningKey>(ACCESS_KEYS, loadSigningKey);
    return { keys: createAccessKeys({ ring }), at };
  };

  test('is made once, by whichever of many processes starts first', async () => {
    await Promise.all(Array.from({ length: 5 }, () => keepAccessKey(store, 'ES256')));
    await keepAccessKey(store, 'ES256');
    const { keys } = await openKeys();
    expect(keys.jwks().keys).toHaveLength(1);
    expect(keys.present().algorithm).toBe('ES256');
  });

  test('of an earlier version, of Ed25519, signs until no process of that version runs, and is accepted until its tokens end', async () => {
    const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
    await pool.query('insert into signing_keys (name, key) values ($1, $2)', [ACCESS_KEYS, pem]);
    await Promise.all(Array.from({ length: 5 }, () => keepAccessKey(store, 'ES256')));
    const { keys, at } = await openKeys();
    const { kid } = await loadSigningKey(pem.toString());
    expect(keys.present().kid).toBe(kid);
    expect(keys.algorithms()).toEqual(['EdDSA', 'ES256']);
    at(61 * MINUTE_MS);
    expect(keys.present().algorithm).toBe('ES256');
    expect(keys.find(kid)).toBeDefined();
    at(1_504 * MINUTE_MS);
    expect(keys.find(kid)).toBeDefined();
    at(1_506 * MINUTE_MS);
    expect(keys.find(kid)).toBeUndefined();
    expect(keys.jwks().keys.map(({ alg }) => alg)).toEqual(['ES256']);
  });

  test('in the store is accepted until its tokens end once another one is given, and comes back as a new one', async () => {
    await keepAccessKey(store, 'ES256');
    const first = (await openKeys()).keys.present().kid;
    await store.retire(ACCESS_KEYS, 3_900);
    await store.retire(ACCESS_KEYS, 7_800);
    const { keys, at } = await openKeys();
    at(64 * MINUTE_MS);
    expect(keys.find(first)).toBeDefined();
    at(66 * MINUTE_MS);
    expect(keys.find(first)).toBeUndefined();
    await keepAccessKey(store, 'ES256');
    expect((await store.versions(ACCESS_KEYS)).map(({ version }) => version)).toEqual([1, 2]);
  });

  test('that is given signs, and the published set has each key once, the given one first', async () => {
    await keepAccessKey(store, 'ES256');
    const { ring } = await open<SigningKey>(ACCESS_KEYS, loadSigningKey);
    const given = await loadSigningKey(
      generateKeyPairSync('rsa', { modulusLength: 2_048 })
        .privateKey.export({ type: 'pkcs8', format: 'pem' })
        .toString(),
    );
    const keys = createAccessKeys({ given, previous: [given, ring.accepted()[0]!], ring });
    expect(keys.present()).toBe(given);
    expect(keys.jwks().keys.map(({ kid }) => kid)).toEqual([given.kid, ring.accepted()[0]!.kid]);
    expect(JSON.stringify(keys.jwks())).not.toMatch(/"(d|p|q|dp|dq|qi)":/);
  });
});
