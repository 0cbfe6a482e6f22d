import cors from '@fastify/cors';
import type { FastifyInstance } from 'fastify';
import { originMatcher } from '../../kit/origins.ts';

/** Response headers that pages may read. */
const READABLE = [
  'Accept-Ranges',
  'Content-Range',
  'ETag',
  'Idempotency-Replayed',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'X-Request-Id',
];
const PREFLIGHT_SECONDS = 600;

/**
 * Lets pages of these origins, which may be patterns, and of no others call from a browser. There are no
 * cookies, so no credentials either.
 */
export async function allowOrigins(app: FastifyInstance, origins: readonly string[]): Promise<void> {
  if (origins.length === 0) return;
  const isListed = originMatcher(origins);
  await app.register(cors, {
    origin: (origin, decide) => decide(null, origin !== undefined && isListed(origin)),
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: READABLE,
    maxAge: PREFLIGHT_SECONDS,
  });
}
