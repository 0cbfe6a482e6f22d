import { z } from 'zod';
import { Id, Time } from '../../../protocol/schemas.ts';

const Via = z.object({ clientId: z.string() }).meta({ id: 'Via' });

/** An event as auditors see it. */
export const AuditLine = z
  .object({
    position: z.string(),
    id: Id,
    stream: z.string(),
    revision: z.int().min(0),
    type: z.string(),
    v: z.int(),
    occurredAt: Time,
    recordedAt: Time.nullable().describe('When the log took it; null where that was not kept'),
    actorId: Id.nullable().describe('Null for the system'),
    correlationId: z.string().nullable(),
    causationId: Id.nullable(),
    via: Via.optional().describe('The client that acted for the actor; absent without one'),
    data: z.unknown().describe('Personal text is "[redacted]" unless a grant opens it'),
  })
  .meta({ id: 'AuditLine' });
