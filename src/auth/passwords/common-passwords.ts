import { dictionary } from '@zxcvbn-ts/language-common';

const SHORTEST = 8;

/** What people write for a letter, and tools that guess write too. */
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

/** The same for passwords that a guessing tool tries together: whatever their case, and with signs in place of letters. */
const alike = (password: string): string =>
  password
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[@431!|l0$57+]/g, (sign) => LETTERS[sign]!);

/** The common passwords that are long enough to be chosen: about 18,000 of the 49,000 that zxcvbn-ts collected. */
const common: ReadonlySet<string> = new Set(
  dictionary['passwords-common'].filter(({ length }) => length >= SHORTEST).map(alike),
);

/** With fewer it is a repetition, such as `aaaaaaaa` or `12121212`. */
const FEWEST_CHARACTERS = 4;

/** Whether a guessing tool tries the password first: it is on the list, or little but repetition or blanks. */
export const isCommonPassword = (password: string): boolean =>
  common.has(alike(password)) || new Set(password.replace(/\s/g, '')).size < FEWEST_CHARACTERS;

/** Shorter names say too little: `Ann` is in many passwords that have nothing to do with her. */
const SHORTEST_NAME = 4;

/**
 * Whether the password says what is known of its owner: the address, the part before the @, the name, or words of them
 * with fewer than eight other characters.
 */
export function namesItsOwner(
  password: string,
  { email, displayName }: { email: string; displayName: string },
): boolean {
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
