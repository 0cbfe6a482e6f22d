import { type KeyObject, generateKeyPairSync, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type JWK, SignJWT, exportJWK } from 'jose';

/** A key of the issuer. */
export interface IssuerKey {
  kid: string;
  privateKey: KeyObject;
  publicKey: KeyObject;
  jwk: JWK;
}

export async function makeIssuerKey(kid: string = randomUUID()): Promise<IssuerKey> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  // Without `alg`, as many issuers publish them: the key alone does not tell which algorithms are meant.
  const jwk = { ...(await exportJWK(publicKey)), kid, use: 'sig' };
  return { kid, privateKey, publicKey, jwk };
}

const seconds = () => Math.floor(Date.now() / 1_000);

interface Parts {
  header?: Record<string, unknown>;
  claims?: Record<string, unknown>;
  key?: IssuerKey;
}

/** A board's own login: it signs tokens for its people, and serves its keys. `answer` can make it misbehave. */
export async function startTokenIssuer(audience = 'chat') {
  let keys = [await makeIssuerKey()];
  let fetches = 0;
  const state: {
    answer?: (() => { status?: number; body?: string; location?: string } | 'silence') | undefined;
  } = {};
  const server = createServer((_request, response) => {
    fetches += 1;
    const answer = state.answer?.() ?? {};
    if (answer === 'silence') return;
    const { status = 200, body = JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }), location } = answer;
    response
      .writeHead(status, { 'content-type': 'application/json', ...(location && { location }) })
      .end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const issuer = `http://127.0.0.1:${port}`;

  return {
    issuer,
    audience,
    jwksUri: `${issuer}/jwks.json`,
    state,
    /** Number of times that its keys were fetched. */
    fetches: () => fetches,
    key: () => keys[0]!,
    /** Replaces all keys. */
    async rotate(): Promise<IssuerKey> {
      keys = [await makeIssuerKey()];
      return keys[0]!;
    },
    /** Signs a token that is good unless a part of it is given. A claim of undefined is absent. */
    async sign(sub: string, { header = {}, claims = {}, key = keys[0]! }: Parts = {}): Promise<string> {
      const usual = { iss: issuer, aud: audience, sub, role: 'applicant', name: 'Ada', exp: seconds() + 300 };
      return new SignJWT({ ...usual, ...claims })
        .setProtectedHeader({ alg: 'RS256', kid: key.kid, ...header })
        .sign(key.privateKey);
    },
    async close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
export type TokenIssuer = Awaited<ReturnType<typeof startTokenIssuer>>;
