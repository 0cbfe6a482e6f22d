import { z } from 'zod';
import {
  DEFAULT_COSTS,
  PER_HOUR,
  type PerMinute,
  WINDOW_SECONDS,
  exceptions,
  windowSecondsOf,
} from '../../protocol/rate-limits.ts';
import { MAX_REACTIONS } from '../../commands/message/react-to-message.ts';
import { MAX_FILES, MAX_TEXT } from '../../events/conversation.ts';
import { allowedExtensions, allowedTypes } from '../../files/inspect/content-types.ts';
import type { HttpApp } from '../route-deps.ts';

const Count = z.int().min(0);
const Rate = z.object({ limit: Count, windowSeconds: Count, by: z.string() }).meta({ id: 'Rate' });
const Points = z.record(z.string(), Count);
/** Without a type, because client generators do not support a number or a text. */
const Cost = z
  .union([Count, z.string()])
  .meta({ anyOf: undefined, description: 'Points, or the name of the rate that counts it' });
const MessageLimits = z
  .object({ textLength: Count.describe('Characters'), files: Count, reactionsPerUser: Count })
  .meta({ id: 'MessageLimits' });
const FileLimits = z
  .object({
    size: Count.describe('Bytes'),
    types: z.array(z.string()).describe('Media types that may be declared, under all of their names'),
    extensions: z.array(z.string()).describe('Of names, without the dot'),
  })
  .meta({ id: 'FileLimits' });
const CallCosts = z.object({ usual: Points, exceptions: z.record(z.string(), Cost) }).meta({
  id: 'Costs',
  description: 'Points of `requests`, `clients` or `anonymous` that a call takes, or the rate that counts it',
});
const Limits = z
  .object({
    message: MessageLimits,
    file: FileLimits,
    rates: z.record(z.string(), Rate).describe('By the name that the RateLimit fields use'),
    costs: CallCosts,
  })
  .meta({ id: 'Limits' });

/** Defines the route that lists the limits of what clients may send. */
export function limitRoutes(app: HttpApp, limits: PerMinute & { maxFileBytes: number }): void {
  const rate = (limit: number, by: string) => ({ limit, windowSeconds: WINDOW_SECONDS, by });
  const hourly = Object.fromEntries(
    (
      [
        ['verification-letters', 'user'],
        ['address-changes', 'user'],
        ['invitations', 'user'],
        ['invitation-letters', 'e-mail address'],
      ] as const
    ).map(([bucket, by]) => [
      bucket,
      { limit: PER_HOUR[bucket], windowSeconds: windowSecondsOf(bucket), by },
    ]),
  );
  const answer: z.infer<typeof Limits> = {
    message: { textLength: MAX_TEXT, files: MAX_FILES, reactionsPerUser: MAX_REACTIONS },
    file: { size: limits.maxFileBytes, types: [...allowedTypes], extensions: [...allowedExtensions] },
    rates: {
      messages: rate(limits.messagesPerMinute, 'user'),
      uploads: rate(limits.uploadsPerMinute, 'user'),
      requests: rate(limits.requestsPerMinute, 'user'),
      clients: rate(limits.clientRequestsPerMinute, 'client'),
      logins: rate(limits.loginsPerMinute, 'address'),
      'failed-logins': rate(limits.failedLoginsPerMinute, 'account and address'),
      anonymous: rate(limits.anonymousRequestsPerMinute, 'address'),
      ...hourly,
    },
    costs: { usual: DEFAULT_COSTS, exceptions: Object.fromEntries(exceptions) },
  };

  app.get(
    '/v1/limits',
    {
      schema: {
        tags: ['Documents'],
        operationId: 'getLimits',
        summary: 'Lengths, sizes, types and rates that this server keeps to',
        description:
          'What a client needs to know before it sends: the length of a text, the size and the types of files, and how many calls it has. The limits change only when the server is started anew.',
        security: [],
        response: { 200: Limits },
      },
    },
    () => answer,
  );
}
