import type { FastifyRequest } from 'fastify';

/**
 * Returns a function that gives the origin at which clients reach this server, without a slash at the end:
 * `publicUrl` if it is set, otherwise the host of the request.
 */
export const origins = (publicUrl: string | undefined) => {
  const origin = publicUrl?.replace(/\/$/, '');
  return ({ protocol, host }: FastifyRequest): string => origin ?? `${protocol}://${host}`;
};
