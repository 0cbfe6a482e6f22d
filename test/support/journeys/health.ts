import type { Readiness } from '../../../src/http/route-deps.ts';

/** Resolves with what a process says of its readiness. Those without an API, and status ports, give details. */
export async function healthOf(
  url: string,
): Promise<{ status: number; dependencies: Readiness['dependencies'] }> {
  const response = await fetch(new URL('/health/ready', url));
  const { dependencies } = (await response.json()) as Pick<Readiness, 'dependencies'>;
  return { status: response.status, dependencies };
}

/** Resolves with the value of a series that a process exports; undefined when it exports none. */
export async function valueOf(
  url: string,
  name: string,
  labels: Record<string, string> = {},
): Promise<number | undefined> {
  const text = await (await fetch(new URL('/metrics', url))).text();
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  const line = text
    .split('\n')
    .find((each) => /^\w+/.exec(each)?.[0] === name && wanted.every((label) => each.includes(label)));
  return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ') + 1));
}
