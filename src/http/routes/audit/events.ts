import { z } from 'zod';
import { exportEvents } from '../../../audit/export-events.ts';
import type { EventFilter } from '../../../audit/filter.ts';
import { PositionUnknown } from '../../../audit/stored-log.ts';
import { categories } from '../../../events/streams.ts';
import { UserId } from '../../../events/ids.ts';
import { ProblemError, badInput } from '../../../protocol/problem.ts';
import { accessGrants, grantHeaders } from '../../access-grant.ts';
import { createExportLane } from '../../export-lane.ts';
import type { AuditDeps, HttpApp } from '../../route-deps.ts';
import { AuditLine } from './line.ts';
import { PositionParameter, StreamName, TimeParameter, countParameter, inLog } from './parameters.ts';

const MOST_EVENTS = 1_000_000_000;
const MOST_TYPES = 20;

const types = `[A-Z][A-Za-z]{0,63}(?:,[A-Z][A-Za-z]{0,63}){0,${MOST_TYPES - 1}}`;
const Types = z
  .string()
  .regex(new RegExp(`^${types}$`), 'Must be types of events')
  .transform((list) => list.split(','))
  .meta({ description: `At most ${MOST_TYPES}, separated by commas` });

/** What an export is of. */
export const EventQuery = z.strictObject({
  stream: StreamName.optional(),
  category: z.enum(categories).optional(),
  type: Types.optional(),
  actor: z
    .union([UserId, z.literal('system')])
    .meta({ description: 'The id of a user, or system' })
    .optional(),
  // Ids of traces have no version of RFC 9562.
  correlation: z.guid().toLowerCase().optional(),
  from: TimeParameter.optional(),
  to: TimeParameter.optional(),
  limit: countParameter(1, MOST_EVENTS).optional(),
});

/** Returns the filter in a query, and its limit. */
export function toFilter({ limit, type, actor, ...rest }: z.output<typeof EventQuery>) {
  const filter: EventFilter = { ...rest, types: type, actor: actor === 'system' ? null : actor };
  return { filter, limit };
}

/** Defines the export of the log. */
export function auditEventRoutes(app: HttpApp, deps: AuditDeps): void {
  const opened = accessGrants(deps);
  const enter = createExportLane(app, deps);

  app.get(
    '/v1/audit/events',
    {
      // A HEAD request would read the whole log and send nothing.
      exposeHeadRoute: false,
      config: { for: 'auditors', refusals: ['GRANT_NOT_OPEN', 'TOO_MANY_EXPORTS'] },
      schema: {
        tags: ['Audit'],
        operationId: 'exportEvents',
        summary: 'The log in its order, one event a line; the last line is {"next": position or null}',
        headers: grantHeaders,
        querystring: EventQuery.extend({ afterPosition: PositionParameter.optional() }),
        response: {
          200: { description: 'NDJSON', content: { 'application/x-ndjson': { schema: AuditLine } } },
        },
      },
    },
    async (request, reply) => {
      const { open, isStillOpen } = await opened(request);
      const passage = enter(request, reply, isStillOpen);
      const { afterPosition, ...query } = request.query;
      const after = (await inLog(deps.positions, afterPosition)) ?? 0;
      const { filter, limit = MOST_EVENTS } = toFilter(query);
      const lines = await exportEvents({
        ...{ log: deps.storedLog, filter, after, limit, open },
        mayGoOn: passage.mayGoOn,
      }).catch((error: unknown) => {
        if (!(error instanceof PositionUnknown)) throw error;
        const issue = { path: ['afterPosition'], message: 'Must be a position that an answer contained' };
        throw new ProblemError(badInput([issue], 'querystring'));
      });
      passage.send(lines);
      return reply;
    },
  );
}
