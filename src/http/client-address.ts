import type { IncomingMessage } from 'node:http';
import { all, compile } from '@fastify/proxy-addr';

/** Returns a function that finds a request's client address behind the trusted proxies, by Fastify's rules. */
export function clientAddressBehind(trustedProxies: readonly string[]): (request: IncomingMessage) => string {
  const isTrusted = compile([...trustedProxies]);
  return (request) => all(request, isTrusted).at(-1) ?? '';
}
