import { z } from 'zod';

const Fault = z
  .object({ pointer: z.string().describe('RFC 6901'), message: z.string() })
  .meta({ id: 'Fault' });

/** A problem as clients see it, over REST and in the acks of the socket. */
export const ProblemBody = z
  .object({
    type: z.string(),
    title: z.string().meta({ 'x-ms-primary-error-message': true }),
    status: z.int().min(400).max(599),
    detail: z.string(),
    instance: z.string().optional(),
    code: z.string().describe('Stable: what to decide by'),
    retryable: z.boolean().describe('Whether the same request may succeed later'),
    retryAfterMs: z.int().min(0).optional().describe('When to try again; absent when waiting does not help'),
    errors: z.array(Fault).optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457' });
