import type { KeyStore, Replacement } from './key-rings.ts';

/** The key cannot be rotated now. The message says why. */
export class NotRotated extends Error {
  override readonly name = 'NotRotated';
}

/**
 * Makes a new version of a key: one that signs after the lead, or with `now` at once, and then the others are gone.
 * Resolves with the number of the version. Throws `NotRotated`.
 */
export async function rotateKey(
  store: Pick<KeyStore, 'versions' | 'add' | 'replaceAll'>,
  { name, make }: { name: string; make: () => string },
  how: 'now' | Replacement,
): Promise<number> {
  const latest = (await store.versions(name)).at(-1);
  if (!latest) throw new NotRotated(`${name}: there is no key yet; the server makes it when it starts`);
  const version = latest.version + 1;
  if (how === 'now') {
    await store.replaceAll(name, make());
    return version;
  }
  const waits = Math.ceil(latest.signsInMs / 60_000);
  if (waits > 0)
    throw new NotRotated(
      `${name}: version ${latest.version} is new, and signs in ${waits} min; --now replaces it at once`,
    );
  if (!(await store.add(name, make(), latest.version, how)))
    throw new NotRotated(`${name}: another process has just made a new version`);
  return version;
}
