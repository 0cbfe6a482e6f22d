import { z } from 'zod';
import { placeHold } from '../../../commands/audit/place-hold.ts';
import { releaseHold } from '../../../commands/audit/release-hold.ts';
import { HoldId } from '../../../events/ids.ts';
import { Done, Id, Position, Time, bodyOf, pageOf, paging } from '../../../protocol/schemas.ts';
import { commandRequest } from '../../command-request.ts';
import type { HttpApp, RouteDeps } from '../../route-deps.ts';

const tags = ['Privacy'];

const HoldPlaced = z.object({ holdId: Id, position: Position }).meta({ id: 'HoldPlaced' });
const HoldPage = pageOf(
  z
    .object({
      holdId: Id,
      groupId: Id,
      reason: z.string(),
      placedBy: Id.nullable(),
      placedAt: Time,
      releasedAt: Time.nullable(),
    })
    .meta({ id: 'Hold' }),
).meta({ id: 'HoldPage' });

/** Defines the routes of holds. */
export function holdRoutes(app: HttpApp, { handle, queries, positions, newId }: RouteDeps): void {
  app.post(
    '/v1/privacy/holds',
    {
      config: { for: 'auditors', idempotentAs: 'PlaceHold', refusals: [...placeHold.refuses] },
      schema: {
        tags,
        operationId: 'placeHold',
        summary: 'Keep a group from erasure and retention',
        body: bodyOf(placeHold, 'holdId').meta({
          id: 'PlaceHold',
          example: { groupId: '0197a000-0000-7000-8000-000000000001', reason: 'Acme v. Lovelace' },
        }),
        response: { 201: HoldPlaced },
      },
    },
    async (request, reply) => {
      const placing = { ...request.body, holdId: HoldId.parse(newId()) };
      const { events, position } = await handle(placeHold, placing, commandRequest(request));
      // A repetition with the same key has the id of the first time.
      const holdId = events[0]?.data.holdId ?? placing.holdId;
      return reply.code(201).send({ holdId, position: positions.encode(position) });
    },
  );

  app.get(
    '/v1/privacy/holds',
    {
      config: { for: 'auditors' },
      schema: {
        tags,
        operationId: 'listHolds',
        summary: 'All holds, newest first',
        querystring: z.strictObject(paging),
        response: { 200: HoldPage },
      },
    },
    ({ query }) => queries.listHolds(query),
  );

  app.delete(
    '/v1/privacy/holds/:holdId',
    {
      config: { for: 'auditors', refusals: [...releaseHold.refuses] },
      schema: {
        tags,
        operationId: 'releaseHold',
        summary: 'Let the erasure and retention of a group go on',
        params: z.strictObject({ holdId: HoldId }),
        response: { 200: Done },
      },
    },
    async (request) => {
      const { position } = await handle(releaseHold, request.params, commandRequest(request));
      return { position: positions.encode(position) };
    },
  );
}
