import { z } from 'zod';
import { type Category, categoryOf } from '../../../events/streams.ts';
import { toLines } from '../../../audit/line.ts';
import { messagesAt } from '../../../audit/past-group.ts';
import { revisionAt, stateAt } from '../../../audit/past-streams.ts';
import { nobodysText } from '../../../audit/redact.ts';
import { NO_STREAM, type Revision } from '../../../events/event-store.ts';
import type { GroupId } from '../../../events/ids.ts';
import type { Stream } from '../../../events/streams.ts';
import { ProblemError, problem } from '../../../protocol/problem.ts';
import { accessGrants, grantHeaders } from '../../access-grant.ts';
import type { HttpApp, LookBackDeps } from '../../route-deps.ts';
import { AuditLine } from './line.ts';
import { LOOK_BACK_MS, StreamName, TimeParameter, countParameter } from './parameters.ts';

/** Number of events in one answer, and of the last messages in the state of a conversation. */
const [EVENTS, MESSAGES] = [1_000, 100];

const PastStream = z
  .object({
    stream: z.string(),
    revision: z.int().min(0),
    state: z.unknown().describe('Folded up to `revision`; of a conversation, its last 100 messages'),
    events: z.array(AuditLine),
    next: z.int().nullable().describe('What to pass as afterRevision for the next events'),
  })
  .meta({ id: 'PastStream' });

/** Defines the view of one stream at a moment. */
export function auditStreamRoutes(app: HttpApp, deps: LookBackDeps): void {
  const opened = accessGrants(deps);
  const { store, storedLog } = deps;

  app.get(
    '/v1/audit/streams/:streamId',
    {
      config: { for: 'auditors', answerMs: LOOK_BACK_MS, refusals: ['GRANT_NOT_OPEN', 'STREAM_NOT_FOUND'] },
      schema: {
        tags: ['Audit'],
        operationId: 'getPastStream',
        summary: 'The state of a stream at a moment, and the events that led to it',
        headers: grantHeaders,
        params: z.strictObject({ streamId: StreamName }),
        querystring: z.strictObject({
          atRevision: countParameter(0, Number.MAX_SAFE_INTEGER).optional(),
          at: TimeParameter.optional(),
          afterRevision: countParameter(0, Number.MAX_SAFE_INTEGER).optional(),
        }),
        response: { 200: PastStream },
      },
    },
    (request) =>
      deps.looks.run(async () => {
        const { open } = await opened(request);
        const mayRead = open?.mayRead ?? nobodysText;
        const { streamId: stream } = request.params;
        const { afterRevision = NO_STREAM, ...moment } = request.query;
        const revision = await revisionAt(store, stream, moment);
        if (revision === NO_STREAM) throw new ProblemError(problem('STREAM_NOT_FOUND'));
        const limit = Math.max(0, Math.min(EVENTS, revision - afterRevision));
        const [state, events] = await Promise.all([
          stateOf(stream, revision),
          limit === 0 ? [] : storedLog.ofStream(stream, { from: afterRevision + 1, limit }),
        ]);
        const last = events.at(-1)?.revision ?? revision;
        return {
          ...{ stream, revision, state },
          events: await toLines(events, open),
          next: last < revision ? last : null,
        };

        async function stateOf(of: Stream, upTo: Revision): Promise<unknown> {
          const category = categoryOf(of) as Category;
          if (category !== 'conversation') return stateAt(store, of, category, { revision: upTo, mayRead });
          const groupId = of.slice(category.length + 1) as GroupId;
          const [event] = await store.readStream(of, { from: upTo, limit: 1 });
          const asked = { revision: upTo, moment: { atPosition: event?.position }, mayRead, limit: MESSAGES };
          return messagesAt(store, groupId, asked);
        }
      }),
  );
}
