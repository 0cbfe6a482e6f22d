import { z } from 'zod';
import { MOST_BATCHES } from '../../../events/operations.ts';
import type { Outbox, ParkedBatch } from '../../../notifications/outbox.ts';
import { Id, Time, pageOf, paging } from '../../../protocol/schemas.ts';
import { cursorOf } from '../../../queries/cursor.ts';
import type { HttpApp } from '../../route-deps.ts';
import { Acted, type ActDeps, actConfig, recordActs, tags, withReason } from './acts.ts';

export interface OperatorNotificationRoutes extends ActDeps {
  outbox: Pick<Outbox, 'backlog' | 'parked' | 'replay'>;
}

const url = '/v1/admin/notifications';

const Backlog = z
  .object({
    waiting: z.int().min(0).describe('Notifications, counted up to 100,000'),
    parked: z.int().min(0).describe('Batches, counted up to 100,000'),
    oldestUnpublishedSeconds: z.number().min(0).describe('Since when the oldest batch could have been sent'),
  })
  .meta({ id: 'NotificationBacklog' });
const Parked = z
  .object({
    batchId: Id,
    parkedAt: Time,
    channel: z.enum(['email', 'push']),
    recipientId: Id.describe('A user, or the letter itself where it is about an account'),
    notifications: z.int().min(0),
    reason: z.string(),
  })
  .meta({ id: 'ParkedBatch' });
const byParking = cursorOf(z.strictObject({ parkedAt: Time, batchId: z.uuid() }));

const replayed = z.object({ replayed: z.int().min(0).describe('The batches that were parked') });
const ReplayBody = z
  .union([
    z.strictObject({
      ...withReason,
      batchIds: z
        .array(z.uuid().toLowerCase())
        .min(1)
        .max(MOST_BATCHES)
        .transform((ids) => [...new Set(ids)]),
    }),
    z.strictObject({ ...withReason, all: z.literal(true) }),
  ])
  // Client generators do not support a choice of two objects.
  .meta({
    ...{ id: 'ReplayNotifications', description: '`batchIds`, or `all`', anyOf: undefined, type: 'object' },
    properties: {
      reason: { type: 'string', minLength: 1, maxLength: 1_000, pattern: '\\S' },
      batchIds: {
        ...{ type: 'array', minItems: 1, maxItems: MOST_BATCHES },
        items: { type: 'string', format: 'uuid' },
      },
      all: { type: 'boolean', enum: [true] },
    },
    ...{ required: ['reason'], minProperties: 2, maxProperties: 2, additionalProperties: false },
    example: { reason: 'The mail server is back', all: true },
  });

/** Defines the routes with which operators see what has not been sent, and send it again. */
export function operatorNotificationRoutes(app: HttpApp, deps: OperatorNotificationRoutes): void {
  const { outbox } = deps;
  const record = recordActs(deps);

  app.get(
    url,
    {
      config: { for: 'operators' },
      schema: {
        tags,
        operationId: 'getNotificationBacklog',
        summary: 'How much waits to be sent, and how much could not be sent',
        response: { 200: Backlog },
      },
    },
    () => outbox.backlog(),
  );

  app.get(
    `${url}/parked`,
    {
      config: { for: 'operators' },
      schema: {
        tags,
        operationId: 'listParkedBatches',
        summary: 'The batches that could not be sent, the first to be parked first',
        querystring: z.strictObject(paging),
        response: { 200: pageOf(Parked).meta({ id: 'ParkedBatchPage' }) },
      },
    },
    async ({ query: { cursor, limit } }) => {
      const parked = await outbox.parked({ after: byParking.read(cursor), limit: limit + 1 });
      const place = ({ parkedAt, batchId }: ParkedBatch) => ({ parkedAt, batchId });
      return byParking.page(parked, limit, place, (batch) => batch);
    },
  );

  app.post(
    `${url}/replay`,
    {
      config: actConfig('ReplayNotifications'),
      schema: {
        tags,
        operationId: 'replayNotifications',
        summary: 'Send parked batches again, those that are named or all of them',
        body: ReplayBody,
        response: { 200: Acted.extend(replayed.shape).meta({ id: 'NotificationsReplayed' }) },
      },
    },
    async (request) => {
      const batchIds = 'batchIds' in request.body ? request.body.batchIds : null;
      const { answer } = await record(request, { kind: 'replayNotifications', batchIds });
      return {
        ...answer,
        replayed: await outbox.replay(batchIds ?? undefined),
      };
    },
  );
}
