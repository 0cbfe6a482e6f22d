import { z } from 'zod';
import { nobodysText } from '../../../audit/redact.ts';
import { trace } from '../../../audit/trace.ts';
import { ProblemError, problem } from '../../../protocol/problem.ts';
import { accessGrants, grantHeaders } from '../../access-grant.ts';
import type { HttpApp, LookBackDeps } from '../../route-deps.ts';
import { AuditLine } from './line.ts';
import { LOOK_BACK_MS } from './parameters.ts';

/** What a trace shows was read from its stream, which does not know when the log took it. */
const TraceNode = AuditLine.omit({ recordedAt: true })
  .extend({
    relation: z
      .enum(['caused', 'reliedOn'])
      .nullable()
      .describe('How it is connected with the event that it is listed under'),
    get causes() {
      return z.array(TraceNode);
    },
    get effects() {
      return z.array(TraceNode);
    },
  })
  .meta({ id: 'TraceNode' });
const Traced = z
  .object({
    event: TraceNode,
    truncated: z.boolean().describe('Whether there are, or may be, more events than are shown'),
  })
  .meta({ id: 'Trace' });

/** Defines the tree of causes and effects of an event. */
export function traceRoutes(app: HttpApp, deps: LookBackDeps): void {
  const opened = accessGrants(deps);

  app.get(
    '/v1/audit/trace/:eventId',
    {
      config: { for: 'auditors', answerMs: LOOK_BACK_MS, refusals: ['GRANT_NOT_OPEN', 'EVENT_NOT_FOUND'] },
      schema: {
        tags: ['Audit'],
        operationId: 'traceEvent',
        summary: 'What an event followed from, and what followed from it',
        headers: grantHeaders,
        params: z.strictObject({ eventId: z.uuid().toLowerCase() }),
        response: { 200: Traced },
      },
    },
    (request) =>
      deps.looks.run(async () => {
        const { open } = await opened(request);
        const mayRead = open?.mayRead ?? nobodysText;
        const found = await trace(request.params.eventId, { ...deps, mayRead });
        if (!found) throw new ProblemError(problem('EVENT_NOT_FOUND'));
        return found;
      }),
  );
}
