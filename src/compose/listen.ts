import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Config } from '../config.ts';

/**
 * Connections that wait to be accepted, at most `net.core.somaxconn`. When the queue is full, clients try again after
 * one second and ever longer pauses: thousands may reconnect at once.
 */
const BACKLOG = 4_096;

/** Listens according to the settings. Resolves with the URL. */
export async function listen(
  http: FastifyInstance,
  { host, port }: Pick<Config, 'host' | 'port'>,
): Promise<string> {
  await http.listen({ host, port, backlog: BACKLOG });
  const bound = (http.server.address() as AddressInfo).port;
  return `http://${host.includes(':') ? `[${host}]` : host}:${bound}`;
}
