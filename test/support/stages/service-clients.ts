import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { type JWK, SignJWT, exportJWK } from 'jose';
import pg from 'pg';
import { SCOPES, type Scope } from '../../../src/auth/clients/scopes.ts';
import { type ClientStore, storedHash } from '../../../src/auth/clients/service-client.ts';
import { newId } from '../../../src/kit/uuids.ts';
import { createClientStore } from '../../../src/adapters/postgres/tables/clients.ts';

/** A program of a board, with what it proves itself with. */
export interface BoardClient {
  clientId: string;
  secret: string;
  /** Signs an assertion that is good unless a part of it is given. */
  assert(
    audience: string | string[],
    parts?: { header?: Record<string, unknown>; claims?: Record<string, unknown> },
  ): Promise<string>;
  publicKey: JWK;
}

const seconds = () => Math.floor(Date.now() / 1_000);

/** Works on the clients as an operator does. */
export async function onClients<T>(
  databaseUrl: string,
  work: (store: ClientStore) => Promise<T>,
): Promise<T> {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 1 });
  try {
    return await work(createClientStore(pool));
  } finally {
    await pool.end();
  }
}

/** Makes a client as an operator does. */
export async function makeClient(
  databaseUrl: string,
  scopes: readonly Scope[] = SCOPES,
): Promise<BoardClient> {
  const clientId = newId();
  const secret = randomBytes(32).toString('base64url');
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const jwk = await exportJWK(publicKey);
  await onClients(databaseUrl, (store) =>
    store.add({
      ...{ clientId, scopes, sessionId: newId(), name: 'A board' },
      secretHash: storedHash(secret),
      publicKeys: [jwk],
    }),
  );
  return {
    clientId,
    secret,
    publicKey: jwk,
    assert: (audience, { header = {}, claims = {} } = {}) =>
      new SignJWT({
        ...{ iss: clientId, sub: clientId, aud: audience, jti: randomUUID(), exp: seconds() + 60 },
        ...claims,
      })
        .setProtectedHeader({ alg: 'ES256', ...header })
        .sign(privateKey),
  };
}

export interface Form {
  [field: string]: string;
}

/** Posts a form to the endpoint of tokens, as the client if one is given. */
export async function postForm(
  url: string,
  form: Form,
  client?: Pick<BoardClient, 'clientId' | 'secret'>,
): Promise<{ status: number; headers: Headers; body: Record<string, unknown> }> {
  const basic = client && Buffer.from(`${client.clientId}:${client.secret}`).toString('base64');
  const answer = await fetch(`${url}/v1/oauth/token`, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      ...(basic !== undefined && { authorization: `Basic ${basic}` }),
    },
    body: new URLSearchParams(form),
  });
  return {
    status: answer.status,
    headers: answer.headers,
    body: (await answer.json()) as Record<string, unknown>,
  };
}

export const CREDENTIALS: Form = { grant_type: 'client_credentials' };

export const exchangeOf = (token: string): Form => ({
  grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
  subject_token: token,
  subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
});

/** Resolves with an access token of the client. */
export async function tokenOf(
  url: string,
  client: Pick<BoardClient, 'clientId' | 'secret'>,
  form: Form = {},
): Promise<string> {
  const { status, body } = await postForm(url, { ...CREDENTIALS, ...form }, client);
  if (status !== 200) throw new Error(JSON.stringify(body));
  return body['access_token'] as string;
}
