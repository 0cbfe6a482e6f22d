import { type JWK, decodeJwt, importJWK, jwtVerify } from 'jose';
import { ASYMMETRIC_ALGORITHMS } from '../../kit/jwt-algorithms.ts';
import {
  ClientId,
  type ClientStore,
  type ServiceClient,
  TokenRefused,
  storedHash,
} from './service-client.ts';

/** Resolves with the client that has signed the assertion for one of the audiences. Throws `TokenRefused`. */
export type CheckAssertion = (assertion: string, audiences: readonly string[]) => Promise<ServiceClient>;

/** An assertion is made for one request: it lives for minutes at most. */
export const LONGEST_SECONDS = 300;
const CLOCK_TOLERANCE_SECONDS = 5;
const MAX_LENGTH = 4_096;
/** The longest `jti` that is read. */
const MAX_JTI = 255;

/**
 * Creates the check of `private_key_jwt` (RFC 7523 §3): signed by a key of the client, by an asymmetric algorithm,
 * for this server alone, short-lived and used once. A key that the assertion itself names is never followed.
 */
export function createCheckAssertion(
  store: Pick<ClientStore, 'ofKeys' | 'spendAssertion'>,
  now: () => number = Date.now,
): CheckAssertion {
  return async function checkAssertion(assertion, audiences) {
    if (assertion.length > MAX_LENGTH) throw refused('is too long');
    const clientId = ClientId.safeParse(issuerOf(assertion)).data;
    const found = clientId === undefined ? undefined : await store.ofKeys(clientId);
    if (!clientId || !found) throw refused('is of no client that is known here');
    const { jti, exp } = await claimsOf(assertion, { clientId, audiences, publicKeys: found.publicKeys });
    if (!jti || jti.length > MAX_JTI) throw refused('needs a jti');
    if (exp! * 1_000 > now() + LONGEST_SECONDS * 1_000) throw refused(`may live for ${LONGEST_SECONDS} s`);
    // Until no clock that is tolerated takes it any more.
    const forgetAt = new Date((exp! + 2 * CLOCK_TOLERANCE_SECONDS) * 1_000);
    if (!(await store.spendAssertion(clientId, storedHash(jti), forgetAt))) throw refused('was used before');
    return found.client;
  };

  async function claimsOf(
    assertion: string,
    {
      clientId,
      audiences,
      publicKeys,
    }: { clientId: string; audiences: readonly string[]; publicKeys: JWK[] },
  ) {
    const options = {
      algorithms: [...ASYMMETRIC_ALGORITHMS],
      audience: [...audiences],
      issuer: clientId,
      subject: clientId,
      requiredClaims: ['exp', 'jti'],
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      currentDate: new Date(now()),
    };
    for (const key of publicKeys) {
      const keyOf = ({ alg }: { alg?: string }) => importJWK(key, alg);
      const verified = await jwtVerify(assertion, keyOf, options).catch(() => undefined);
      if (!verified) continue;
      const { payload } = verified;
      // One for another server as well could be presented here by that one.
      if (typeof payload.aud !== 'string') throw refused('needs this server as its only audience, as a text');
      return payload;
    }
    throw refused('is not signed by the client, not for this server, or not valid now');
  }
}

const refused = (reason: string) => new TokenRefused('INVALID_CLIENT', `The assertion ${reason}`);

/** Returns who an assertion claims to be of, unproved. */
function issuerOf(assertion: string): unknown {
  try {
    return decodeJwt(assertion).iss;
  } catch {
    return undefined;
  }
}
