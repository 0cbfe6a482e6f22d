import { createPublicKey, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type JWK, exportJWK } from 'jose';
import { z } from 'zod';
import { ClientId, type ClientStore, storedHash } from '../../src/auth/clients/service-client.ts';
import { SCOPES, scopesIn } from '../../src/auth/clients/scopes.ts';
import { named, text } from '../../src/events/text.ts';
import { newId } from '../../src/kit/uuids.ts';
import { createClientStore } from '../../src/adapters/postgres/tables/clients.ts';
import { Misused, Refused, plain } from '../program.ts';
import { withDatabase } from '../with-database.ts';
import { type Command, type Values, required } from './options.ts';

const Name = named(text(1, 100));
const SECRET_BYTES = 32;
const MOST_KEYS = 5;
const PEM = /-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g;
const KINDS: readonly unknown[] = ['rsa', 'ec', 'ed25519'];
/** Shorter keys are not accepted in assertions. */
const LEAST_RSA_BITS = 2_048;

const withClients = (work: (store: ClientStore) => Promise<void>): Promise<void> =>
  withDatabase({ name: 'admin' }, ({ pool }) => work(createClientStore(pool)));

const clientOf = (values: Values): string => required(values, 'client', ClientId);

const newSecret = () => randomBytes(SECRET_BYTES).toString('base64url');

/** Resolves with the public keys in a file: a JWK, a JWK Set, or PEM. Throws `Misused` for anything else. */
async function publicKeysIn(path: string): Promise<JWK[]> {
  const refuse = (reason: string) => new Misused(`--public-key: ${reason}`);
  const content = await readFile(path, 'utf8').catch((error: Error) => {
    throw refuse(error.message);
  });
  try {
    const pems = content.match(PEM);
    const keys = pems
      ? await Promise.all(pems.map((pem) => exportJWK(createPublicKey(pem))))
      : jwksIn(JSON.parse(content));
    if (keys.length === 0 || keys.length > MOST_KEYS) throw refuse(`must hold 1 to ${MOST_KEYS} keys`);
    keys.forEach(requirePublic);
    return keys;
  } catch (error) {
    if (error instanceof Misused) throw error;
    throw refuse('must be a file with a public key: a JWK, a JWK Set, or PEM');
  }
}

const jwksIn = (json: unknown): JWK[] => {
  const { keys } = json as { keys?: JWK[] };
  return keys ?? [json as JWK];
};

/** Throws `Misused` for a key that signs no assertion, and for a private one, which nobody else may have. */
function requirePublic(jwk: JWK): void {
  if (jwk.kty === 'oct' || 'd' in jwk)
    throw new Misused('--public-key: must hold public keys only: keep the private one to yourself');
  const key = createPublicKey({ key: { ...jwk }, format: 'jwk' });
  const { modulusLength = LEAST_RSA_BITS } = key.asymmetricKeyDetails ?? {};
  if (!KINDS.includes(key.asymmetricKeyType) || modulusLength < LEAST_RSA_BITS)
    throw new Misused(
      `--public-key: must be of P-256, P-384, P-521, Ed25519, or RSA of ${LEAST_RSA_BITS} bits`,
    );
}

const createClient: Command = async ({ values, print }) => {
  const name = required(values, 'name', Name);
  const scopes = scopesIn(required(values, 'scopes', z.string()).replaceAll(',', ' '));
  if (!scopes) throw new Misused(`--scopes: must be some of ${SCOPES.join(' ')}`);
  const path = values['public-key'];
  const publicKeys = path === undefined ? [] : await publicKeysIn(path);
  const secret = publicKeys.length === 0 || values['with-secret'] ? newSecret() : undefined;
  await withClients(async (store) => {
    const clientId = newId();
    const secretHash = secret === undefined ? undefined : storedHash(secret);
    const unique = SCOPES.filter((scope) => scopes.includes(scope));
    await store.add({ clientId, sessionId: newId(), name, scopes: unique, secretHash, publicKeys });
    print({ clientId, name, scopes: unique, secret, publicKeys: publicKeys.length }, [
      `created the client ${name} with id ${clientId}`,
      ...(secret === undefined ? [] : [`secret: ${secret}`]),
    ]);
  });
};

const rotateSecret: Command = ({ values, print }) => {
  const clientId = clientOf(values);
  return withClients(async (store) => {
    const secret = newSecret();
    if (!(await store.addSecret(clientId, storedHash(secret))))
      throw new Refused(`${clientId} is no client, or has two secrets: end-client-secret ends the older one`);
    print({ clientId, secret }, [
      `the client ${clientId} has one more secret; the older one is accepted until end-client-secret`,
      `secret: ${secret}`,
    ]);
  });
};

const endSecret: Command = ({ values, print }) => {
  const clientId = clientOf(values);
  return withClients(async (store) => {
    if (!(await store.endOlderSecret(clientId)))
      throw new Refused(`${clientId} has not two secrets: disable-client ends the only one`);
    print({ clientId }, `ended the older secret of ${clientId}; tokens that it got last for 10 min at most`);
  });
};

const setKeys: Command = async ({ values, print }) => {
  const clientId = clientOf(values);
  const publicKeys = await publicKeysIn(required(values, 'public-key', z.string().min(1)));
  return withClients(async (store) => {
    if (!(await store.setKeys(clientId, publicKeys))) throw new Refused(`there is no client ${clientId}`);
    print(
      { clientId, publicKeys: publicKeys.length },
      `the client ${clientId} signs with the keys of the file`,
    );
  });
};

const listClients: Command = ({ print }) =>
  withClients(async (store) => {
    const clients = await store.list();
    print(
      { clients },
      clients.flatMap(({ clientId, name, scopes, createdAt, isDisabled, secrets, publicKeys }) => [
        `${clientId}  since ${createdAt.toISOString()}  ${plain(name)}  ${scopes.join(' ')}${isDisabled ? '  (disabled)' : ''}`,
        ...secrets.map(
          (secret) =>
            `  secret of ${secret.createdAt.toISOString()}, last used ${secret.lastUsedAt?.toISOString() ?? 'never'}`,
        ),
        ...(publicKeys.length > 0 ? [`  ${publicKeys.length} public keys`] : []),
      ]),
    );
  });

const disableClient: Command = ({ values, print }) => {
  const clientId = clientOf(values);
  return withClients(async (store) => {
    if (!(await store.disable(clientId)))
      throw new Refused(`${clientId} is no client, or is disabled already`);
    print({ clientId }, `disabled ${clientId}: its tokens end, and those that it got for its users`);
  });
};

const enableClient: Command = ({ values, print }) => {
  const clientId = clientOf(values);
  return withClients(async (store) => {
    if (!(await store.enable(clientId, newId())))
      throw new Refused(`${clientId} is no client, or is not disabled`);
    print({ clientId }, `enabled ${clientId}: it can get new tokens`);
  });
};

export const clientCommands: Record<string, Command> = {
  'create-client': createClient,
  'rotate-client-secret': rotateSecret,
  'end-client-secret': endSecret,
  'set-client-keys': setKeys,
  'list-clients': listClients,
  'disable-client': disableClient,
  'enable-client': enableClient,
};
