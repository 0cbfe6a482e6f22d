import type { FastifyRequest } from 'fastify';

/**
 * Tells where clients reach this server, without a slash at the end: at `publicUrl` if there is one, else at the host
 * that they asked.
 */
export const origins = (publicUrl: string | undefined) => {
  const origin = publicUrl?.replace(/\/$/, '');
  return ({ protocol, host }: FastifyRequest): string => origin ?? `${protocol}://${host}`;
};
