import type { FastifyRequest } from 'fastify';

/** Gives an origin for a request. */
export type Origins = (request: FastifyRequest) => string;

/**
 * Returns a function that gives the origin at which clients reach this server, without a slash at the end:
 * `publicUrl` if it is set, otherwise the host of the request.
 */
export const origins = (publicUrl: string | undefined): Origins => {
  const origin = publicUrl?.replace(/\/$/, '');
  return ({ protocol, host }) => origin ?? `${protocol}://${host}`;
};
