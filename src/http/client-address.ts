import type { IncomingMessage } from 'node:http';
import { all, compile } from '@fastify/proxy-addr';

/** Returns what finds a request's client: the last address that no trusted proxy vouches for, as Fastify has it. */
export function clientAddressBehind(trustedProxies: readonly string[]): (request: IncomingMessage) => string {
  const isTrusted = compile([...trustedProxies]);
  return (request) => all(request, isTrusted).at(-1) ?? '';
}
