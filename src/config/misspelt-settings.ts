/**
 * Other programs share the environment, so an unknown name alone is not an error. It is one when it begins
 * like settings that only this program has, or when it is one slip away from a setting long enough to rule
 * out chance.
 */
const OUR_PREFIXES = [
  'JWT_',
  'DATA_DIR',
  'ALLOWED_ORIGIN',
  'TRUSTED_PROX',
  'TRUSTED_ISSUER',
  'ACCESS_TOKEN_',
  'HEADS_INTERVAL',
  'MESSAGES_PER_',
  'LOGINS_PER_',
  'FAILED_LOGIN',
  'UPLOADS_PER_',
  'UPLOAD_MIB_',
  'MAX_FILE_',
  'FILES_MIB_',
  'MIN_FREE_DISK',
  'ERASED_PEOPLE_',
  'CLAMD_',
  'SCAN_WEBHOOK_',
  'VAPID_',
  'PUSH_PRIVATE_',
];
const OUR_SUFFIXES = ['_PER_MINUTE'];

/** Shorter names (PORT, HOST) have innocent neighbours such as POST or HOSTS. */
const SHORTEST_COMPARED = 7;

/** Returns one line for each name in the environment that looks like a setting but is not one. */
export function misspelt(names: readonly string[], settings: readonly string[]): string[] {
  const unknown = names.filter((name) => !settings.includes(name));
  return unknown.flatMap((name) => {
    const meant = settings.find(
      (setting) => setting.length >= SHORTEST_COMPARED && isOneSlipAway(name.toUpperCase(), setting),
    );
    if (meant) return [`${name} is not a setting: did you mean ${meant}?`];
    const isOurs =
      OUR_PREFIXES.some((prefix) => name.startsWith(prefix)) ||
      OUR_SUFFIXES.some((suffix) => name.endsWith(suffix));
    return isOurs ? [`${name} is not a setting`] : [];
  });
}

/** Returns true if the names are equal, or differ in one extra, missing, wrong or swapped letter. */
function isOneSlipAway(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false;
  let start = 0;
  while (start < a.length && a[start] === b[start]) start += 1;
  const rest = (text: string, skipped: number) => text.slice(start + skipped);
  if (rest(a, 1) === rest(b, 1) || rest(a, 1) === rest(b, 0) || rest(a, 0) === rest(b, 1)) return true;
  return a[start] === b[start + 1] && a[start + 1] === b[start] && rest(a, 2) === rest(b, 2);
}
