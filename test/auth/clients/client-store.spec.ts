import { randomUUID } from 'node:crypto';
import { type ClientStore, storedHash } from '../../../src/auth/clients/service-client.ts';
import { newId } from '../../../src/kit/uuids.ts';
import { createClientStore } from '../../../src/adapters/postgres/tables/clients.ts';
import { type AuthStage, authStage, eventually } from '../../support/stages/auth-stage.ts';

let stage: AuthStage;
let store: ClientStore;
beforeAll(async () => {
  stage = await authStage();
  store = createClientStore(stage.pool);
});
afterAll(() => stage.close());

const scopes = ['users:write', 'jobs:write'] as const;

/** Adds a client with one secret, and resolves with its ids. */
async function added(secret = randomUUID()) {
  const client = { clientId: newId(), sessionId: newId(), name: 'A board' };
  await store.add({ ...client, scopes, secretHash: storedHash(secret), publicKeys: [] });
  return { ...client, secret };
}
const isOpened = async (clientId: string, secret: string) =>
  (await store.ofSecret(clientId, storedHash(secret))) !== undefined;

describe('The store of clients', () => {
  test('finds a client by its own secret only', async () => {
    const [one, two] = [await added(), await added()];
    const { clientId, sessionId, name } = one;
    const client = { clientId, sessionId, name, scopes };
    expect(await store.ofSecret(clientId, storedHash(one.secret))).toStrictEqual(client);
    expect(await store.find(clientId)).toStrictEqual(client);
    expect(await isOpened(clientId, two.secret)).toBe(false);
    expect(await isOpened(newId(), one.secret)).toBe(false);
    expect(await store.find(newId())).toBeUndefined();
  });

  test('keeps no secret that could be read', async () => {
    const { secret } = await added();
    const { rows } = await stage.pool.query('select s::text as row from client_secrets s');
    expect(rows.length).toBeGreaterThan(0);
    expect(JSON.stringify(rows)).not.toContain(secret);
  });

  test('tells when a secret was last used', async () => {
    const { clientId, secret } = await added();
    const usedAt = async () =>
      (await store.list())
        .find((each) => each.clientId === clientId)!
        .secrets.map(({ lastUsedAt }) => lastUsedAt);
    expect(await usedAt()).toStrictEqual([null]);
    await isOpened(clientId, secret);
    expect(await usedAt()).toStrictEqual([expect.any(Date)]);
  });

  test('accepts two secrets at a time, of however many are added at once, until the older is ended', async () => {
    const { clientId, secret } = await added();
    const more = Array.from({ length: 5 }, () => randomUUID());
    const taken = await Promise.all(more.map((each) => store.addSecret(clientId, storedHash(each))));
    expect(taken.filter(Boolean)).toHaveLength(1);
    const newer = more[taken.indexOf(true)]!;
    expect([await isOpened(clientId, secret), await isOpened(clientId, newer)]).toStrictEqual([true, true]);
    expect(await store.endOlderSecret(clientId)).toBe(true);
    expect([await isOpened(clientId, secret), await isOpened(clientId, newer)]).toStrictEqual([false, true]);
    expect(await store.endOlderSecret(clientId)).toBe(false);
    expect(await isOpened(clientId, newer)).toBe(true);
    expect(await store.addSecret(newId(), storedHash(randomUUID()))).toBe(false);
  });

  test('ends the session of a client that is disabled, and gives it another when it is enabled', async () => {
    const { clientId, sessionId, secret } = await added();
    expect(await store.enable(clientId, newId())).toBe(false);
    expect(await store.disable(clientId)).toBe(true);
    expect(await store.disable(clientId)).toBe(false);
    expect(await isOpened(clientId, secret)).toBe(false);
    expect(await store.find(clientId)).toBeUndefined();
    expect(await store.ofKeys(clientId)).toBeUndefined();
    await eventually(() => stage.revocations.isRevoked(sessionId), 5_000);
    const next = newId();
    expect(await store.enable(clientId, next)).toBe(true);
    expect(await store.find(clientId)).toMatchObject({ clientId, sessionId: next });
    expect(stage.revocations.isRevoked(next)).toBe(false);
    expect(await store.disable(newId())).toBe(false);
  });

  test('tells a node that starts later which sessions of clients have ended', async () => {
    const { clientId, sessionId } = await added();
    await store.disable(clientId);
    const later = await authStage({ url: stage.url });
    expect(later.revocations.isRevoked(sessionId)).toBe(true);
    await later.close();
  });

  test('spends an assertion once for each client, of however many are presented at once', async () => {
    const [one, two] = [await added(), await added()];
    const jti = storedHash('the same');
    const at = new Date(Date.now() + 60_000);
    const spent = await Promise.all(
      Array.from({ length: 10 }, () => store.spendAssertion(one.clientId, jti, at)),
    );
    expect(spent.filter(Boolean)).toHaveLength(1);
    expect(await store.spendAssertion(two.clientId, jti, at)).toBe(true);
  });

  test('replaces public keys', async () => {
    const { clientId } = await added();
    expect((await store.ofKeys(clientId))?.publicKeys).toStrictEqual([]);
    const keys = [{ kty: 'OKP', crv: 'Ed25519', x: 'x', kid: 'one' }];
    expect(await store.setKeys(clientId, keys)).toBe(true);
    expect((await store.ofKeys(clientId))?.publicKeys).toStrictEqual(keys);
    expect(await store.setKeys(newId(), keys)).toBe(false);
  });
});
