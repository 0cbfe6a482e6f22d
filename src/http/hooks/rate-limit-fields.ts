import type { FastifyReply } from 'fastify';
import type { Quota } from '../../protocol/rate-limits.ts';

/** Tells the caller what remains of a quota: draft-ietf-httpapi-ratelimit-headers-10. */
export function sendQuota(reply: FastifyReply, quota: Quota): void {
  const { bucket, limit, windowSeconds, remaining, resetMs } = quota;
  void reply.header('RateLimit-Policy', `"${bucket}";q=${limit};w=${windowSeconds}`);
  void reply.header('RateLimit', `"${bucket}";r=${remaining};t=${Math.ceil(resetMs / 1000)}`);
}
