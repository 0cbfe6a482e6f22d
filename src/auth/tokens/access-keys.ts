import type { JWK } from 'jose';
import type { JwtAlgorithm } from '../../kit/jwt-algorithms.ts';
import type { KeyRing, KeyStore, Replacement } from './key-rings.ts';
import { type SigningKey, type VerifyingKey, loadSigningKey, makeSigningKey } from './signing-keys.ts';

/** The name of the keys of access tokens in the store. */
export const ACCESS_KEYS = 'access-tokens';
/** The longest that an access token lives, one that a client gets for its user, and some minutes for clocks that differ. */
export const ACCESS_KEY_LIFETIME_SECONDS = 86_700;
/**
 * After an upgrade or a change of the algorithm, the new key waits for that long: a rolling upgrade is over by then, and
 * no process is left that does not know it.
 */
const UPGRADE_LEAD_SECONDS = 3_600;

/** The keys of access tokens, as they are now. */
export interface AccessKeys {
  /** The one that signs. */
  present(): SigningKey;
  /** Returns the key of that id if its tokens are accepted. */
  find(kid: string): VerifyingKey | undefined;
  /** Looks for keys that other processes made, unless that was done a moment ago. Never rejects. */
  look(): Promise<void>;
  /** Returns the body of `GET /.well-known/jwks.json`, with the present key first. */
  jwks(): { keys: JWK[] };
  /** Returns the algorithms of those keys, that of the present one first. */
  algorithms(): JwtAlgorithm[];
}

/**
 * Makes the key in the store that nobody gave: the first one, or the next one when the latest is of another algorithm or
 * about to retire.
 */
export async function keepAccessKey(
  store: Pick<KeyStore, 'versions' | 'add'>,
  algorithm: JwtAlgorithm,
  replacement: Replacement = {
    leadSeconds: UPGRADE_LEAD_SECONDS,
    lifetimeSeconds: ACCESS_KEY_LIFETIME_SECONDS,
  },
): Promise<void> {
  const latest = (await store.versions(ACCESS_KEYS)).at(-1);
  if (latest?.retiresInMs === null && (await loadSigningKey(latest.key)).algorithm === algorithm) return;
  await store.add(ACCESS_KEYS, makeSigningKey(algorithm), latest?.version ?? 0, replacement);
}

/** Creates the set of keys: the given one signs, or else those of the ring. All of them, and `previous`, verify. */
export function createAccessKeys({
  given,
  previous = [],
  ring,
}: {
  given?: SigningKey | undefined;
  previous?: readonly VerifyingKey[];
  ring: Pick<KeyRing<SigningKey>, 'accepted' | 'look'>;
}): AccessKeys {
  const present = () => {
    const key = given ?? ring.accepted()[0];
    if (!key) throw new Error('no key signs access tokens');
    return key;
  };
  /** By their ids: a key may be given twice. */
  function all(): VerifyingKey[] {
    const keys = [...(given ? [given] : []), ...ring.accepted(), ...previous];
    return [...new Map(keys.map((key) => [key.kid, key])).values()];
  }
  return {
    present,
    find: (kid) => [given, ...ring.accepted(), ...previous].find((key) => key?.kid === kid),
    look: () => ring.look(),
    jwks: () => ({ keys: all().map(({ jwk }) => jwk) }),
    algorithms: () => [...new Set(all().map(({ algorithm }) => algorithm))],
  };
}
