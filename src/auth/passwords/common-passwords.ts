import { dictionary } from '@zxcvbn-ts/language-common';

const SHORTEST = 8;

/** Signs that people write in place of letters. Guessing tools do the same. */
const LETTERS: Record<string, string> = {
  '@': 'a',
  '4': 'a',
  '3': 'e',
  '1': 'i',
  '!': 'i',
  '|': 'i',
  l: 'i',
  '0': 'o',
  $: 's',
  '5': 's',
  '7': 't',
  '+': 't',
};

/**
 * Returns the same text for passwords that a guessing tool tries together: in any case, with signs in place
 * of letters.
 */
const alike = (password: string): string =>
  password
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[@431!|l0$57+]/g, (sign) => LETTERS[sign]!);

/** The common passwords that are long enough to be accepted: about 18,000 of the 49,000 in the list of zxcvbn-ts. */
const common: ReadonlySet<string> = new Set(
  dictionary['passwords-common'].filter(({ length }) => length >= SHORTEST).map(alike),
);

/** A password with fewer different characters is a repetition, such as `aaaaaaaa` or `12121212`. */
const FEWEST_CHARACTERS = 4;

/** Returns true if guessing tools try the password first: it is on the list, or little but repetition or blanks. */
export const isCommonPassword = (password: string): boolean =>
  common.has(alike(password)) || new Set(password.replace(/\s/g, '')).size < FEWEST_CHARACTERS;

/** Shorter names say too little: `Ann` is part of many unrelated passwords. */
const SHORTEST_NAME = 4;

/**
 * Returns true if the password is made of its owner's data: the address, the part before the @, the name, or
 * words of them with fewer than eight other characters.
 */
export function namesItsOwner(
  password: string,
  { email: address, displayName }: { email: string | null; displayName: string },
): boolean {
  const email = address ?? '';
  const names = [email, email.slice(0, email.lastIndexOf('@')), displayName];
  const longEnough = (name: string) => name.length >= SHORTEST_NAME;
  const secret = alike(password);
  const known = names.map(alike).filter(longEnough);
  if (known.some((name) => secret.includes(name) || name.includes(secret))) return true;
  const words = names
    .flatMap((name) => name.split(/[^\p{L}\p{N}]+/u))
    .map(alike)
    .filter(longEnough);
  const rest = words.reduce((left, word) => left.replaceAll(word, ''), secret);
  return rest !== secret && rest.length < SHORTEST;
}
