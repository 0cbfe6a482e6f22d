import { editMessage } from '../../src/commands/message/edit-message.ts';
import { deleteMessage } from '../../src/commands/message/delete-message.ts';
import { addReaction, removeReaction } from '../../src/commands/message/react-to-message.ts';
import { sendMessage } from '../../src/commands/message/send-message.ts';
import { requestUpload } from '../../src/commands/file/request-upload.ts';
import type { Actor } from '../../src/commands/command.ts';
import { type HandleCommand, type Request } from '../../src/commands/handle-command.ts';
import type { DomainEvent } from '../../src/events/domain-event.ts';
import type { EventStore } from '../../src/events/event-store.ts';
import { commands } from '../support/language/command-stage.ts';
import {
  ada,
  bob,
  clientMsgId,
  eve,
  fileId,
  group,
  groupClosed,
  groupId,
  hello,
  helloSent,
  joined,
  left,
  messageId,
  removed,
  uuid,
} from '../support/language/example-events.ts';
import { happened } from '../support/language/history.ts';
import { createInMemoryEventStore } from '../support/language/in-memory-event-store.ts';

const by = (actor: Actor): Request => ({ actor, correlationId: uuid(0xc0) });
const subject = { groupId, messageId };
const upload = { name: 'cv.pdf', contentType: 'application/pdf', size: 1_000 };

const byAda: [string, (handle: HandleCommand) => Promise<unknown>][] = [
  ['sends a message', (handle) => handle(sendMessage, { groupId, clientMsgId, text: 'Hi' }, by(ada))],
  ['edits one', (handle) => handle(editMessage, { ...subject, text: 'Hi' }, by(ada))],
  ['deletes one', (handle) => handle(deleteMessage, subject, by(ada))],
  ['reacts', (handle) => handle(addReaction, { ...subject, emoji: '👍' }, by(ada))],
  ['removes a reaction', (handle) => handle(removeReaction, { ...subject, emoji: '👋' }, by(ada))],
  ['uploads a file', (handle) => handle(requestUpload, { fileId, groupId, ...upload }, by(ada))],
];

/** The log of a busy group: these events are appended before every append. */
function busy(log: EventStore, ...events: DomainEvent[]): EventStore {
  return {
    ...log,
    append: async (append) => {
      await happened(log, ...events);
      return log.append(append);
    },
  };
}

describe.each(byAda)('a member who %s', (_, act) => {
  const message = { ...hello, reactions: { '👋': [ada.userId] } };
  const history = [...group, helloSent];

  async function actWhile(...events: DomainEvent[]) {
    const log = createInMemoryEventStore();
    await happened(log, ...history);
    const { handle } = await commands({ store: busy(log, ...events), message });
    return { done: act(handle), log };
  }

  test('is not affected by other members who join and leave', async () => {
    const { done } = await actWhile(joined(eve), left(eve), removed(bob), joined(bob, 'admin'));
    await expect(done).resolves.toMatchObject({ events: [{ data: { groupId } }] });
  });

  test.each([
    ['is removed meanwhile', removed(ada)],
    ['leaves meanwhile', left(ada)],
  ])('and %s is refused', async (__, gone) => {
    const { done, log } = await actWhile(gone);
    await expect(done).rejects.toThrow('GROUP_NOT_FOUND');
    expect((await log.readAll({ after: 0, limit: 100 })).at(-1)?.type).toBe(gone.type);
  });
});

test('Rejects a message to a group that is closed meanwhile', async () => {
  const log = createInMemoryEventStore();
  await happened(log, ...group);
  const { handle } = await commands({ store: busy(log, groupClosed) });
  await expect(handle(sendMessage, { groupId, clientMsgId, text: 'Hi' }, by(ada))).rejects.toThrow(
    'GROUP_CLOSED',
  );
});
