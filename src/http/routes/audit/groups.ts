import { z } from 'zod';
import { messagesAt, readersAt } from '../../../audit/past-group.ts';
import { revisionAt, stateAt } from '../../../audit/past-streams.ts';
import { nobodysText } from '../../../audit/redact.ts';
import type { ChatGroup } from '../../../commands/chat-group/chat-group.ts';
import { GroupRole, GroupStatus } from '../../../events/chat-group.ts';
import { NO_STREAM } from '../../../events/event-store.ts';
import { GroupId } from '../../../events/ids.ts';
import { chatGroupStream, conversationStream } from '../../../events/streams.ts';
import { FileStatus } from '../../../events/file.ts';
import { ProblemError, problem } from '../../../protocol/problem.ts';
import { Id, Limit, Seq, Time, seqParameter } from '../../../protocol/schemas.ts';
import { accessGrants, grantHeaders } from '../../access-grant.ts';
import type { HttpApp, LookBackDeps } from '../../route-deps.ts';
import { LOOK_BACK_MS, PositionParameter, TimeParameter, inLog } from './parameters.ts';

const PastFile = z
  .object({
    id: Id,
    name: z.string(),
    contentType: z.string(),
    size: z.int().min(0),
    status: FileStatus,
  })
  .meta({ id: 'PastFile' });
const PastMessage = z
  .object({
    id: Id,
    seq: Seq,
    senderId: Id,
    text: z.string().nullable(),
    erasedAt: Time.nullable().describe('When the text was erased, by now; null for text that is redacted'),
    files: z.array(PastFile),
    replyTo: Id.nullable(),
    reactions: z.record(z.string(), z.array(Id)),
    occurredAt: Time,
    editedAt: Time.nullable(),
    deletedAt: Time.nullable(),
  })
  .meta({ id: 'PastMessage' });
const PastReader = z
  .object({
    userId: Id,
    role: GroupRole,
    since: Time,
    byEvent: Id.describe('The event that let the user in'),
  })
  .meta({ id: 'PastReader' });
const PastGroup = z
  .object({
    groupId: Id,
    status: GroupStatus,
    ownerId: Id.nullable(),
    readers: z.array(PastReader).describe('Who could read the conversation then'),
    messages: z.array(PastMessage).describe('Ascending by seq'),
    headSeq: Seq,
    hasMore: z.boolean(),
  })
  .meta({ id: 'PastGroup' });

/** Defines the view of one group and its conversation at a moment. */
export function auditGroupRoutes(app: HttpApp, deps: LookBackDeps): void {
  const opened = accessGrants(deps);
  const { store } = deps;

  app.get(
    '/v1/audit/groups/:groupId',
    {
      config: { for: 'auditors', answerMs: LOOK_BACK_MS, refusals: ['GRANT_NOT_OPEN', 'GROUP_NOT_FOUND'] },
      schema: {
        tags: ['Audit'],
        operationId: 'getPastGroup',
        summary: 'A conversation as its members saw it at a moment, and who could read it then',
        headers: grantHeaders,
        params: z.strictObject({ groupId: GroupId }),
        querystring: z.strictObject({
          at: TimeParameter.optional(),
          atPosition: PositionParameter.optional(),
          beforeSeq: seqParameter('Messages before this one, the last ones first in the page').optional(),
          afterSeq: seqParameter('Messages after this one').optional(),
          limit: Limit,
        }),
        response: { 200: PastGroup },
      },
    },
    (request) =>
      deps.looks.run(async () => {
        const { open } = await opened(request);
        const mayRead = open?.mayRead ?? nobodysText;
        const { groupId } = request.params;
        const { at, atPosition, ...asked } = request.query;
        const moment = { at, atPosition: await inLog(deps.positions, atPosition) };
        const stream = chatGroupStream(groupId);
        const [ofGroup, ofMessages] = await Promise.all([
          revisionAt(store, stream, moment),
          revisionAt(store, conversationStream(groupId), moment),
        ]);
        if (ofGroup === NO_STREAM) throw new ProblemError(problem('GROUP_NOT_FOUND'));
        const [group, readers, page] = await Promise.all([
          stateAt(store, stream, 'chatGroup', { revision: ofGroup, mayRead }) as Promise<ChatGroup>,
          readersAt(store, groupId, { revision: ofGroup, moment }),
          messagesAt(store, groupId, { revision: ofMessages, moment, mayRead, ...asked }),
        ]);
        if (group.status === 'none') throw new ProblemError(problem('GROUP_NOT_FOUND'));
        return { groupId, status: group.status, ownerId: group.companyId, readers, ...page };
      }),
  );
}
