import { z } from 'zod';
import { messageChangedAnswer, messageSentAnswer } from '../../protocol/answers.ts';
import type { Outcome, Request } from '../../commands/handle-command.ts';
import { deleteMessage } from '../../commands/message/delete-message.ts';
import { editMessage } from '../../commands/message/edit-message.ts';
import { addReaction, removeReaction } from '../../commands/message/react-to-message.ts';
import { sendMessage } from '../../commands/message/send-message.ts';
import { Emoji } from '../../events/emoji.ts';
import type { ConversationEvent } from '../../events/domain-event.ts';
import { GroupId, MessageId } from '../../events/ids.ts';
import { commandRequest } from '../command-request.ts';
import { fileLinks } from '../file-links.ts';
import { groupAccess } from '../group-access.ts';
import type { HttpApp, RouteDeps } from '../route-deps.ts';
import { Id, Limit, Position, Seq, Time, bodyOf, seqParameter } from '../../protocol/schemas.ts';
import { HistoryPage, MessageView } from '../../protocol/views.ts';

const tags = ['Messages'];
const group = z.strictObject({ groupId: GroupId });
const message = group.extend({ messageId: MessageId });
const reaction = message.extend({ emoji: Emoji });

const history = z
  .strictObject({
    beforeSeq: seqParameter('Not together with afterSeq or aroundSeq').optional(),
    afterSeq: seqParameter('Not together with beforeSeq or aroundSeq').optional(),
    aroundSeq: seqParameter('Not together with beforeSeq or afterSeq').optional(),
    limit: Limit,
  })
  .refine(
    ({ beforeSeq, afterSeq, aroundSeq }) =>
      [beforeSeq, afterSeq, aroundSeq].filter((seq) => seq !== undefined).length <= 1,
    'Only one of beforeSeq, afterSeq and aroundSeq may be given',
  );

const SendMessage = bodyOf(sendMessage, 'groupId').meta({
  id: 'SendMessage',
  example: { clientMsgId: '0199f5a0-3b1c-7c2e-9d4f-5a6b7c8d9e0f', text: 'Hello' },
});
const Sent = z
  .object({
    messageId: Id,
    seq: Seq,
    occurredAt: Time,
    duplicate: z.boolean(),
    position: Position,
  })
  .meta({ id: 'MessageSent' });
const EditMessage = bodyOf(editMessage, 'groupId', 'messageId').meta({
  id: 'EditMessage',
  example: { text: 'Hello again' },
});
const Changed = z.object({ seq: Seq, position: Position }).meta({ id: 'MessageChanged' });

/** Defines the routes of messages, their changes and reactions. */
export function messageRoutes(app: HttpApp, deps: RouteDeps): void {
  const { handle, lookups, queries, positions } = deps;
  const asMember = groupAccess(deps);
  const links = fileLinks(deps);

  app.get(
    '/v1/groups/:groupId/messages',
    {
      config: { scope: 'messages:read', refusals: ['GROUP_NOT_FOUND'] },
      schema: {
        tags,
        operationId: 'listMessages',
        summary: 'The newest messages, or those before, after or around a seq; ascending',
        params: group,
        querystring: history,
        response: { 200: HistoryPage },
      },
    },
    (request) => {
      const { actor } = request.session;
      const { groupId } = request.params;
      return asMember(groupId, actor, async () => {
        const page = await queries.messageHistory({ userId: actor.userId, groupId, ...request.query });
        return { ...page, data: page.data.map(links.inMessages(request)), epoch: positions.epoch };
      });
    },
  );

  app.get(
    '/v1/groups/:groupId/messages/:messageId',
    {
      config: { scope: 'messages:read', refusals: ['GROUP_NOT_FOUND', 'MESSAGE_NOT_FOUND'] },
      schema: {
        tags,
        operationId: 'getMessage',
        summary: 'One message',
        params: message,
        response: { 200: MessageView },
      },
    },
    (request) => {
      const { actor } = request.session;
      const { groupId, messageId } = request.params;
      return asMember(groupId, actor, async () =>
        links.inMessages(request)(await queries.getMessage({ userId: actor.userId, groupId, messageId })),
      );
    },
  );

  app.post(
    '/v1/groups/:groupId/messages',
    {
      config: {
        scope: 'messages:write',
        idempotentAs: 'SendMessage',
        refusals: [...sendMessage.refuses],
      },
      schema: {
        tags,
        operationId: 'sendMessage',
        summary: 'Send a message; the same clientMsgId is the same message for ever',
        params: group,
        body: SendMessage,
        response: { 201: Sent, 200: Sent.describe('It had been sent before') },
      },
    },
    async (request, reply) => {
      const outcome = await handle(
        sendMessage,
        { ...request.params, ...request.body },
        commandRequest(request),
      );
      return reply.code(outcome.duplicate ? 200 : 201).send(messageSentAnswer(positions, outcome));
    },
  );

  const answerChange = (
    changed: { groupId: GroupId; messageId: MessageId },
    outcome: Outcome<ConversationEvent>,
  ) => messageChangedAnswer({ lookups, positions }, changed, outcome);

  app.patch(
    '/v1/groups/:groupId/messages/:messageId',
    {
      config: { scope: 'messages:write', refusals: [...editMessage.refuses] },
      schema: {
        tags,
        operationId: 'editMessage',
        summary: 'Change the text of a message of one’s own',
        params: message,
        body: EditMessage,
        response: { 200: Changed },
      },
    },
    async (request) => {
      const edit = { ...request.params, ...request.body };
      return answerChange(edit, await handle(editMessage, edit, commandRequest(request)));
    },
  );

  app.delete(
    '/v1/groups/:groupId/messages/:messageId',
    {
      config: { scope: 'messages:write', refusals: [...deleteMessage.refuses] },
      schema: {
        tags,
        operationId: 'deleteMessage',
        summary: 'Delete a message; an admin may delete any message',
        params: message,
        response: { 200: Changed },
      },
    },
    async (request) =>
      answerChange(request.params, await handle(deleteMessage, request.params, commandRequest(request))),
  );

  const reacting = {
    schema: { tags, params: reaction, response: { 200: Changed } },
  } as const;
  const react = (command: typeof addReaction) => async (params: z.infer<typeof reaction>, request: Request) =>
    answerChange(params, await handle(command, params, request));
  const [add, remove] = [react(addReaction), react(removeReaction)];

  app.put(
    '/v1/groups/:groupId/messages/:messageId/reactions/:emoji',
    {
      config: { scope: 'messages:write', refusals: [...addReaction.refuses] },
      schema: {
        ...reacting.schema,
        tags,
        operationId: 'addReaction',
        summary: 'React to a message',
      },
    },
    (request) => add(request.params, commandRequest(request)),
  );

  app.delete(
    '/v1/groups/:groupId/messages/:messageId/reactions/:emoji',
    {
      config: { scope: 'messages:write', refusals: [...removeReaction.refuses] },
      schema: { ...reacting.schema, tags, operationId: 'removeReaction', summary: 'Take a reaction back' },
    },
    (request) => remove(request.params, commandRequest(request)),
  );
}
