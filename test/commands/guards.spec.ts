import { editMessage } from '../../src/commands/message/edit-message.ts';
import { deleteMessage } from '../../src/commands/message/delete-message.ts';
import { addReaction, removeReaction } from '../../src/commands/message/react-to-message.ts';
import { sendMessage } from '../../src/commands/message/send-message.ts';
import { requestUpload } from '../../src/commands/file/request-upload.ts';
import type { Actor } from '../../src/commands/command.ts';
import { type HandleCommand, type Request } from '../../src/commands/handle-command.ts';
import type { DomainEvent } from '../../src/events/domain-event.ts';
import { ClientMsgId, type GroupId } from '../../src/events/ids.ts';
import type { EventStore } from '../../src/events/event-store.ts';
import { commands } from '../support/language/command-stage.ts';
import {
  acme,
  ada,
  bob,
  clientMsgId,
  dismissed,
  eve,
  fileId,
  group,
  groupClosed,
  groupId,
  hello,
  helloSent,
  hired,
  jobId,
  joined,
  left,
  messageId,
  moved,
  otherJobId,
  privateJobPosted,
  recruiter,
  removed,
  thread,
  threadId,
  uuid,
  viewer,
} from '../support/language/example-events.ts';
import { happened } from '../support/language/history.ts';
import { createInMemoryEventStore } from '../support/language/in-memory-event-store.ts';

const by = (actor: Actor): Request => ({ actor, correlationId: uuid(0xc0) });
const upload = { name: 'cv.pdf', contentType: 'application/pdf', size: 1_000 };

type Act = (handle: HandleCommand, who: Actor, groupId: GroupId) => Promise<unknown>;
const actions: [string, Act][] = [
  [
    'sends a message',
    (handle, who, groupId) => handle(sendMessage, { groupId, clientMsgId, text: 'Hi' }, by(who)),
  ],
  ['edits one', (handle, who, groupId) => handle(editMessage, { groupId, messageId, text: 'Hi' }, by(who))],
  ['deletes one', (handle, who, groupId) => handle(deleteMessage, { groupId, messageId }, by(who))],
  ['reacts', (handle, who, groupId) => handle(addReaction, { groupId, messageId, emoji: '👍' }, by(who))],
  [
    'removes a reaction',
    (handle, who, groupId) => handle(removeReaction, { groupId, messageId, emoji: '👋' }, by(who)),
  ],
  [
    'uploads a file',
    (handle, who, groupId) => handle(requestUpload, { fileId, groupId, ...upload }, by(who)),
  ],
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

describe.each(actions)('a member who %s', (_, act) => {
  const message = { ...hello, reactions: { '👋': [ada.userId] } };
  const history = [...group, helloSent];

  async function actWhile(...events: DomainEvent[]) {
    const log = createInMemoryEventStore();
    await happened(log, ...history);
    const { handle } = await commands({ store: busy(log, ...events), message });
    return { done: act(handle, ada, groupId), log };
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

describe('a recruiter of a thread', () => {
  async function actWhile(act: Act, ...events: DomainEvent[]) {
    const log = createInMemoryEventStore();
    await happened(log, privateJobPosted, ...thread, hired(recruiter, 'recruiter', [jobId]));
    const own = { ...hello, groupId: threadId, senderId: recruiter.userId };
    const message = { ...own, reactions: { '👋': [recruiter.userId] } };
    const { handle } = await commands({ store: busy(log, ...events), message });
    return { done: act(handle, recruiter, threadId), log };
  }

  test.each(actions)(
    'who %s is not affected by other people who come to the company and go',
    async (_, act) => {
      const { done } = await actWhile(
        act,
        hired(viewer, 'viewer'),
        moved(viewer, 'owner'),
        dismissed(viewer),
      );
      await expect(done).resolves.toMatchObject({ events: [{ data: { groupId: threadId } }] });
    },
  );

  describe.each([
    ['is removed from the company', dismissed(recruiter)],
    ['is limited to another job', moved(recruiter, 'recruiter', [otherJobId])],
  ])('who %s meanwhile', (_, gone) => {
    test.each(actions)('is refused when it %s', async (__, act) => {
      const { done, log } = await actWhile(act, gone);
      await expect(done).rejects.toThrow('GROUP_NOT_FOUND');
      expect((await log.readAll({ after: 0, limit: 100 })).at(-1)?.type).toBe(gone.type);
    });
  });

  test.each(actions.filter(([name]) => name !== 'deletes one'))(
    'who becomes a viewer meanwhile is refused when it %s',
    async (_, act) => {
      const { done } = await actWhile(act, moved(recruiter, 'viewer'));
      await expect(done).rejects.toThrow('ROLE_NOT_ALLOWED');
    },
  );
});

test('Reads the log once for a company without events, however many messages its owner sends', async () => {
  const log = createInMemoryEventStore();
  await happened(log, privateJobPosted, ...thread);
  const read: string[] = [];
  const store: EventStore = {
    ...log,
    readStream: (stream, options) => {
      read.push(stream);
      return log.readStream(stream, options);
    },
  };
  const { handle } = await commands({ store });
  for (const n of [1, 2, 3])
    await handle(
      sendMessage,
      { groupId: threadId, clientMsgId: ClientMsgId.parse(uuid(0x51 + n)), text: 'Hi' },
      by(acme),
    );
  expect(read.filter((stream) => stream.startsWith('company-'))).toEqual([`company-${acme.userId}`]);
});

test('Rejects a message to a group that is closed meanwhile', async () => {
  const log = createInMemoryEventStore();
  await happened(log, ...group);
  const { handle } = await commands({ store: busy(log, groupClosed) });
  await expect(handle(sendMessage, { groupId, clientMsgId, text: 'Hi' }, by(ada))).rejects.toThrow(
    'GROUP_CLOSED',
  );
});
