const ORIGIN = /^([a-z][a-z0-9+.-]*):\/\/((?:\*\.)?[^/?#@*]+)$/;

/**
 * Returns true for an origin as browsers and hybrid apps send it, such as `https://app.example.org` or
 * `capacitor://localhost`. `https://*.example.org` stands for all hosts with one label more.
 */
export function isOriginPattern(text: string): boolean {
  const [, scheme, host = ''] = ORIGIN.exec(text) ?? [];
  if (scheme === undefined || scheme === 'file') return false;
  const isPattern = host.startsWith('*.');
  const example = `${scheme}://${isPattern ? host.slice(2) : host}`;
  // A browser sends the normal form: lower case, without a default port.
  if (!URL.canParse(example) || `${scheme}://${new URL(example).host}` !== example) return false;
  return !isPattern || /^[^.:]+\.[^.:]/.test(host.slice(2)) || /^localhost(:|$)/.test(host.slice(2));
}

/** Returns a function that tells whether an origin is one of these, or matches one of their patterns. */
export function originMatcher(patterns: readonly string[]): (origin: string) => boolean {
  const exact = new Set(patterns.filter((pattern) => !pattern.includes('*')));
  const suffixes = patterns
    .filter((pattern) => pattern.includes('*'))
    .map((pattern) => pattern.split('*') as [start: string, end: string]);
  return (origin) =>
    exact.has(origin) ||
    suffixes.some(
      ([start, end]) =>
        origin.startsWith(start) &&
        origin.endsWith(end) &&
        /^[a-z0-9_-]+$/.test(origin.slice(start.length, origin.length - end.length)),
    );
}
