import { jest } from '@jest/globals';
import { addMember } from '../../src/commands/chat-group/add-member.ts';
import { closeGroup } from '../../src/commands/chat-group/close-group.ts';
import { removeMember } from '../../src/commands/chat-group/remove-member.ts';
import { type HandleCommand, MAX_ATTEMPTS, type Request } from '../../src/commands/handle-command.ts';
import { closeJob } from '../../src/commands/job/close-job.ts';
import { changeJob } from '../../src/commands/job/change-job.ts';
import { postJob } from '../../src/commands/job/post-job.ts';
import { deleteMessage } from '../../src/commands/message/delete-message.ts';
import { sendMessage } from '../../src/commands/message/send-message.ts';
import type { Actor } from '../../src/commands/command.ts';
import {
  type EventStore,
  EventStoreUnavailable,
  type Recorded,
  StreamDamaged,
} from '../../src/events/event-store.ts';
import { ClientMsgId, JobId } from '../../src/events/ids.ts';
import { UNKNOWN, WrittenByNewerCode } from '../../src/events/stored-events.ts';
import { chatGroupStream, companyStream } from '../../src/events/streams.ts';
import { deriveId } from '../../src/kit/uuids.ts';
import { commands } from '../support/language/command-stage.ts';
import {
  acme,
  ada,
  adaApplied,
  adaWithdrew,
  applied,
  bob,
  clientMsgId,
  dismissed,
  eve,
  event,
  group,
  groupCreated,
  groupId,
  hello,
  helloSent,
  hired,
  interviewer,
  jobId,
  jobPosted,
  messageId,
  moved,
  otherGroupId,
  otherJobId,
  posting,
  recruiter,
  registered,
  rival,
  uuid,
  viewer,
} from '../support/language/example-events.ts';
import { happened } from '../support/language/history.ts';
import { createInMemoryEventStore } from '../support/language/in-memory-event-store.ts';

const by = (actor: Actor, key?: string): Request => ({
  actor,
  correlationId: uuid(0xc0),
  ...(key !== undefined && { key }),
});
const message = { groupId, clientMsgId, text: 'Hello' };
const job = { jobId, groupId, ...posting };
const title = (name: string) => ({ jobId, title: name });

/** A log that runs an interruption between the first decision and its append. */
function interrupted(store: EventStore, interruption: () => Promise<unknown>): EventStore {
  let isDue = true;
  return {
    ...store,
    append: async (append) => {
      if (isDue) {
        isDue = false;
        await interruption();
      }
      return store.append(append);
    },
  };
}

describe('deciding with other processes', () => {
  test('decides again after a conflict, based on the events since', async () => {
    const log = createInMemoryEventStore();
    const other = await commands({ store: log, history: [jobPosted] });
    const store = interrupted(log, () => other.handle(changeJob, { jobId, description: 'Flies' }, by(acme)));
    const { handle } = await commands({ store });
    const { events } = await handle(changeJob, title('Pilot'), by(acme));
    expect(events[0]?.data).toMatchObject({ title: 'Pilot', description: 'Flies' });
    expect(events[0]?.revision).toBe(2);
  });

  test('causes no conflict between commands of one process on one stream', async () => {
    const log = createInMemoryEventStore();
    const append = jest.fn(log.append);
    const { handle } = await commands({ store: { ...log, append }, history: [jobPosted] });
    append.mockClear();
    const names = Array.from({ length: 20 }, (_, n) => `Pilot ${n}`);
    await Promise.all(names.map((name) => handle(changeJob, title(name), by(acme))));
    expect(append).toHaveBeenCalledTimes(20);
  });

  test('takes events of other processes into account before a refusal', async () => {
    const here = await commands({ history: [...group, registered(eve), applied(eve)] });
    await expect(here.handle(sendMessage, message, by(eve))).rejects.toThrow('GROUP_NOT_FOUND');
    const there = await commands({ store: here.store });
    await there.handle(addMember, { groupId, userId: eve.userId }, by(acme));
    const { events } = await here.handle(sendMessage, message, by(eve));
    expect(events[0]?.data).toMatchObject({ senderId: eve.userId });
  });

  test('takes events of other processes into account before a command counts as done', async () => {
    const here = await commands({ history: [jobPosted] });
    await here.handle(changeJob, title('Pilot'), by(acme));
    const there = await commands({ store: here.store });
    await there.handle(changeJob, title('Nurse'), by(acme));
    const { events } = await here.handle(changeJob, title('Pilot'), by(acme));
    expect(events[0]?.data).toMatchObject({ title: 'Pilot' });
  });

  test('refuses the message of a member removed between the decision and the append', async () => {
    const log = createInMemoryEventStore();
    const other = await commands({ store: log, history: group });
    const store = interrupted(log, () =>
      other.handle(removeMember, { groupId, userId: ada.userId }, by(acme)),
    );
    const { handle, log: read } = await commands({ store });
    await expect(handle(sendMessage, message, by(ada))).rejects.toThrow('GROUP_NOT_FOUND');
    expect((await read()).map(({ type }) => type)).not.toContain('MessageSent');
  });

  const changing = (handle: HandleCommand) => handle(changeJob, title('Pilot'), by(recruiter));
  const closingJob = (handle: HandleCommand) => handle(closeJob, { jobId }, by(recruiter));
  const postingAnother = (handle: HandleCommand) =>
    handle(postJob, { ...job, jobId: otherJobId, companyId: acme.userId }, by(recruiter));

  test.each([
    ['changes a job and is removed', changing, dismissed(recruiter), 'NOT_JOB_OWNER'],
    ['changes a job and becomes a viewer', changing, moved(recruiter, 'viewer'), 'NOT_JOB_OWNER'],
    ['closes a job and is limited to others', closingJob, moved(recruiter, 'recruiter', []), 'NOT_JOB_OWNER'],
    ['posts a job and is removed', postingAnother, dismissed(recruiter), 'ROLE_NOT_ALLOWED'],
  ])('refuses one of the company’s people who %s meanwhile', async (_, act, change, code) => {
    const log = createInMemoryEventStore();
    await happened(log, jobPosted, hired(recruiter, 'recruiter'));
    const { handle } = await commands({ store: interrupted(log, () => happened(log, change)) });
    await expect(act(handle)).rejects.toThrow(code);
    expect((await log.readAll({ after: 2, limit: 10 })).map(({ type }) => type)).toEqual([change.type]);
  });

  test.each([
    ['has left the company', viewer, dismissed(viewer)],
    ['has withdrawn', ada, adaWithdrew],
  ])('adds nobody who %s meanwhile', async (_, { userId }, change) => {
    const log = createInMemoryEventStore();
    const people = [registered(viewer), registered(ada), adaApplied, hired(viewer, 'viewer')];
    await happened(log, ...people, groupCreated);
    const { handle } = await commands({ store: interrupted(log, () => happened(log, change)) });
    await expect(handle(addMember, { groupId, userId }, by(acme))).rejects.toThrow('USER_NOT_FOUND');
    expect((await log.readAll({ after: 0, limit: 100 })).at(-1)?.type).toBe(change.type);
  });

  test('does not decide again for changes of other people of the company', async () => {
    const log = createInMemoryEventStore();
    await happened(log, jobPosted, hired(recruiter, 'recruiter'), hired(viewer, 'viewer'));
    const store = interrupted(log, () => happened(log, dismissed(viewer), hired(interviewer, 'interviewer')));
    const append = jest.fn(store.append);
    const { handle } = await commands({ store: { ...store, append } });
    await handle(changeJob, title('Pilot'), by(recruiter));
    expect(append).toHaveBeenCalledTimes(1);
  });

  test('records the version of the company that a decision relied on', async () => {
    const { handle } = await commands({ history: [jobPosted, hired(recruiter, 'recruiter')] });
    const { events } = await handle(changeJob, title('Pilot'), by(recruiter));
    expect(events[0]?.metadata.reliedOn).toStrictEqual({ [companyStream(acme.userId)]: 0 });
  });

  test('records the membership version that a message relied on', async () => {
    const { handle } = await commands({ history: group });
    const { events } = await handle(sendMessage, message, by(ada));
    expect(events[0]?.metadata.reliedOn).toStrictEqual({ [chatGroupStream(groupId)]: 2 });
  });

  test('fails with a retryable error after too many conflicts', async () => {
    const log = createInMemoryEventStore();
    await happened(log, jobPosted);
    const append = jest.fn<EventStore['append']>(async ({ stream }) => ({
      outcome: 'conflict',
      stream,
      actual: 0,
    }));
    const { handle } = await commands({ store: { ...log, append } });
    await expect(handle(changeJob, title('Pilot'), by(acme))).rejects.toThrow(EventStoreUnavailable);
    expect(append).toHaveBeenCalledTimes(MAX_ATTEMPTS);
  });
});

describe('a repetition', () => {
  test('returns the first outcome of a message', async () => {
    const { handle, log } = await commands({ history: group });
    const first = await handle(sendMessage, message, by(ada));
    const second = await handle(sendMessage, message, by(ada));
    expect(second).toStrictEqual({ ...first, duplicate: true });
    expect(first.duplicate).toBe(false);
    expect(await log()).toHaveLength(group.length + 1);
  });

  const closing = (handle: HandleCommand) => handle(closeGroup, { groupId }, by(acme));
  const removing = (handle: HandleCommand) => handle(removeMember, { groupId, userId: ada.userId }, by(acme));

  test.each([
    ['the group was closed', closing],
    ['the sender was removed', removing],
  ])('returns the first outcome of a message after %s, here or elsewhere', async (_, since) => {
    const { handle, store } = await commands({ history: group });
    const other = await commands({ store });
    const first = await handle(sendMessage, message, by(ada));
    await since(other.handle);
    expect(await handle(sendMessage, message, by(ada))).toStrictEqual({ ...first, duplicate: true });
    expect(await other.handle(sendMessage, message, by(ada))).toStrictEqual({ ...first, duplicate: true });
  });

  test('from another process is the same message', async () => {
    const here = await commands({ history: group });
    const there = await commands({ store: here.store });
    const [a, b] = await Promise.all([
      here.handle(sendMessage, message, by(ada)),
      there.handle(sendMessage, message, by(ada)),
    ]);
    expect(a.events).toStrictEqual(b.events);
    expect([a.duplicate, b.duplicate].toSorted()).toStrictEqual([false, true]);
  });

  test.each([
    ['another text', { text: 'Good bye' }],
    ['another reply target', { replyTo: messageId }],
    ['another group', { groupId: otherGroupId }],
  ])('is refused when its clientMsgId has %s', async (_, change) => {
    const history = [
      ...group,
      { ...groupCreated, data: { ...groupCreated.data, groupId: otherGroupId, adminId: ada.userId } },
    ];
    const { handle } = await commands({ history, message: hello });
    await handle(sendMessage, message, by(ada));
    await expect(handle(sendMessage, { ...message, ...change }, by(ada))).rejects.toThrow(
      'CLIENT_MSG_ID_REUSED',
    );
  });

  test('is refused when its clientMsgId has another text, even after the group was closed', async () => {
    const { handle } = await commands({ history: group });
    await handle(sendMessage, message, by(ada));
    await closing(handle);
    const reuse = handle(sendMessage, { ...message, text: 'Good bye' }, by(ada));
    await expect(reuse).rejects.toThrow('CLIENT_MSG_ID_REUSED');
  });

  test('is not what another member sends under the same clientMsgId', async () => {
    const { handle } = await commands({ history: group });
    const first = await handle(sendMessage, message, by(ada));
    const second = await handle(sendMessage, message, by(bob));
    expect(second.duplicate).toBe(false);
    expect(second.events[0]?.revision).toBe(first.events[0]!.revision + 1);
  });

  test('of posting a job with the same key returns the first job, whatever the new id', async () => {
    const { handle, log } = await commands();
    const first = await handle(postJob, job, by(acme, 'k1'));
    const again = { ...job, jobId: uuid(0x11), groupId: uuid(0x22) };
    const second = await handle(postJob, postJob.input.parse(again), by(acme, 'k1'));
    expect(second.events).toStrictEqual(first.events);
    expect(await log()).toHaveLength(1);
  });

  test('of a change with its key does not undo a later change', async () => {
    const { handle } = await commands({ history: [jobPosted] });
    const first = await handle(changeJob, title('Pilot'), by(acme, 'k1'));
    await handle(changeJob, title('Nurse'), by(acme, 'k2'));
    const again = await handle(changeJob, title('Pilot'), by(acme, 'k1'));
    expect(again).toStrictEqual({ ...first, duplicate: true });
  });

  test('is scoped to the user of the key', async () => {
    const { handle, log } = await commands();
    await handle(postJob, job, by(acme, 'k1'));
    const other = { ...job, jobId: uuid(0x11), groupId: uuid(0x22) };
    const { events, duplicate } = await handle(postJob, postJob.input.parse(other), by(rival, 'k1'));
    expect(events[0]?.data).toMatchObject({ companyId: rival.userId });
    expect(duplicate).toBe(false);
    expect(await log()).toHaveLength(2);
  });

  test('of another user’s command returns the rule’s refusal, not the outcome', async () => {
    const { handle } = await commands({ history: [...group, helloSent], message: hello });
    await handle(deleteMessage, { groupId, messageId }, by(ada));
    await expect(handle(deleteMessage, { groupId, messageId }, by(eve))).rejects.toThrow('GROUP_NOT_FOUND');
    await expect(handle(deleteMessage, { groupId, messageId }, by(bob))).rejects.toThrow(
      'NOT_MESSAGE_AUTHOR',
    );
  });
});

describe('handling a command', () => {
  test('derives the ids of new events from the cause', async () => {
    const { handle } = await commands();
    const outcome = await handle(postJob, job, { ...by(acme, 'k1'), causationId: 'the cause' });
    expect(outcome.events[0]?.id).toBe(deriveId('PostJob', 'the cause', 0));
    expect(outcome.events[0]?.metadata).toStrictEqual({
      actorId: acme.userId,
      correlationId: uuid(0xc0),
      causationId: 'the cause',
      reliedOn: { [companyStream(acme.userId)]: -1 },
    });
  });

  test('returns a position that covers the events of automations', async () => {
    const { handle } = await commands({ automate: () => async () => 7 });
    expect((await handle(postJob, job, by(acme))).position).toBe(7);
  });

  test('returns the position of the outcome when no automation follows', async () => {
    const { handle } = await commands({ history: [registered(acme)] });
    expect((await handle(postJob, job, by(acme))).position).toBe(2);
  });

  test('returns the position of the state seen when the command was already done', async () => {
    const { handle } = await commands({ history: [registered(acme), jobPosted, registered(ada)] });
    const outcome = await handle(postJob, job, by(acme));
    expect(outcome).toStrictEqual({ events: [], duplicate: false, position: 2 });
  });

  test.each([
    ['with its key', 'k1', 'k1'],
    ['with another key', 'k1', 'k2'],
    ['without a key', undefined, undefined],
  ])('completes interrupted automations when the command is repeated %s', async (_, firstKey, secondKey) => {
    const automate = jest
      .fn<(events: readonly unknown[]) => Promise<number>>()
      .mockRejectedValueOnce(new EventStoreUnavailable('the database went away'))
      .mockResolvedValue(9);
    const { handle } = await commands({ automate: () => automate });
    await expect(handle(postJob, job, by(acme, firstKey))).rejects.toThrow(EventStoreUnavailable);
    expect((await handle(postJob, job, by(acme, secondKey))).position).toBe(9);
    expect(automate.mock.lastCall?.[0]).toStrictEqual(automate.mock.calls[0]?.[0]);
  });

  test('reads no growing stream for a command that was already done', async () => {
    const log = createInMemoryEventStore();
    const automate = jest.fn<(events: readonly Recorded[]) => Promise<number>>(async () => 0);
    const readStream = jest.fn(log.readStream);
    const renamed = Array.from({ length: 50 }, (_, n) =>
      event('JobDetailsChanged', { jobId, ...posting, title: `Pilot ${n}` }),
    );
    const { handle } = await commands({
      store: { ...log, readStream },
      history: [jobPosted, ...renamed],
      automate: () => automate,
    });
    await handle(changeJob, title('Pilot 49'), by(acme));
    readStream.mockClear();
    const { events } = await handle(changeJob, title('Pilot 49'), by(acme));
    expect(events).toStrictEqual([]);
    const read = await Promise.all(readStream.mock.results.map(({ value }) => value));
    expect(read.flat()).toStrictEqual([]);
    expect(automate.mock.lastCall?.[0].map(({ type }) => type)).toStrictEqual(['JobPosted']);
  });

  test('runs no automation after a refusal', async () => {
    const automate = jest.fn(async () => 0);
    const { handle } = await commands({ automate: () => automate });
    await expect(handle(postJob, job, by(ada))).rejects.toThrow('ROLE_NOT_ALLOWED');
    expect(automate).not.toHaveBeenCalled();
  });

  test('reads an unloaded group once for concurrent writes', async () => {
    const log = createInMemoryEventStore();
    const readStream = jest.fn(log.readStream);
    const { handle } = await commands({ store: { ...log, readStream }, history: group });
    const ids = [0x51, 0x52, 0x53, 0x54].map((n) => ClientMsgId.parse(uuid(n)));
    await Promise.all(ids.map((clientMsgId) => handle(sendMessage, { ...message, clientMsgId }, by(ada))));
    const streams = readStream.mock.calls.map(([stream]) => stream);
    expect(streams.filter((stream) => stream === chatGroupStream(groupId))).toHaveLength(1);
  });

  test('costs one append for a message, and no read once the group is loaded', async () => {
    const log = createInMemoryEventStore();
    const readStream = jest.fn(log.readStream);
    const { handle } = await commands({ store: { ...log, readStream }, history: group });
    await handle(sendMessage, message, by(ada));
    readStream.mockClear();
    const second = { ...message, clientMsgId: ClientMsgId.parse(uuid(0x51)) };
    await handle(sendMessage, second, by(ada));
    expect(readStream).not.toHaveBeenCalled();
  });
});

describe('a stream with events of newer code', () => {
  const newer = (each: Recorded): Recorded =>
    each.type === 'JobDetailsChanged'
      ? ({ ...each, type: UNKNOWN, data: { type: each.type, v: 2, data: each.data } } as never)
      : each;

  /** A log with a job that was changed by newer code. */
  async function mixed() {
    const store = createInMemoryEventStore();
    const changed = event('JobDetailsChanged', { jobId, ...posting, title: 'Pilot' });
    await happened(store, registered(acme), jobPosted, changed);
    return commands({
      store: {
        ...store,
        readStream: async (...asked) => (await store.readStream(...asked)).map(newer),
        find: async (id) => {
          const found = await store.find(id);
          return found && newer(found);
        },
      },
    });
  }

  test('makes commands that read it fail with a retryable error', async () => {
    const { handle } = await mixed();
    const refused = handle(changeJob, title('Captain'), by(acme));
    await expect(refused).rejects.toThrow(WrittenByNewerCode);
    await expect(refused).rejects.toThrow(EventStoreUnavailable);
    await expect(refused).rejects.toThrow('newer code wrote JobDetailsChanged v2 at position 3');
  });

  test('does not stop commands that do not read it', async () => {
    const { handle } = await mixed();
    const other = { ...job, jobId: JobId.parse(uuid(0x11)), groupId: otherGroupId };
    expect((await handle(postJob, other, by(acme))).events).toHaveLength(1);
  });
});

describe('a damaged stream', () => {
  const chatGroup = chatGroupStream(groupId);

  /** A log that leaves out events of the group when it is read. */
  const without = (store: EventStore, isLeftOut: (event: Recorded) => boolean): EventStore => ({
    ...store,
    readStream: async (...args) => (await store.readStream(...args)).filter((event) => !isLeftOut(event)),
  });
  const inGroup = ({ stream }: Recorded) => stream === chatGroup;

  test.each<[string, (event: Recorded) => boolean]>([
    ['its first event', ({ revision }) => revision === 0],
    ['an event in the middle', ({ revision }) => revision === 1],
  ])('without %s refuses the commands that rely on it', async (_, isLeftOut) => {
    const log = createInMemoryEventStore();
    await happened(log, jobPosted, ...group);
    const store = without(log, (event) => inGroup(event) && isLeftOut(event));
    const { handle } = await commands({ store });
    await expect(handle(sendMessage, message, by(ada))).rejects.toThrow('STREAM_DAMAGED');
    await expect(handle(addMember, { groupId, userId: eve.userId }, by(acme))).rejects.toThrow(
      'STREAM_DAMAGED',
    );
    await expect(handle(changeJob, title('Pilot'), by(acme))).resolves.toMatchObject({ duplicate: false });
  });

  test('without its last event refuses the commands that write to it', async () => {
    const log = createInMemoryEventStore();
    await happened(log, ...group, registered(eve), applied(eve));
    const last = (await log.readStream(chatGroup)).at(-1)!.revision;
    const store = without(log, (event) => inGroup(event) && event.revision === last);
    const { handle } = await commands({ store });
    await expect(handle(addMember, { groupId, userId: eve.userId }, by(acme))).rejects.toThrow(
      'STREAM_DAMAGED',
    );
  });

  test('that the log refuses to append to refuses the command, and names the cause', async () => {
    const log = createInMemoryEventStore();
    const damaged = new StreamDamaged(chatGroup, 'was deleted');
    const append = jest.fn(log.append);
    const { handle } = await commands({ store: { ...log, append }, history: group });
    append.mockRejectedValue(damaged);
    await expect(handle(sendMessage, message, by(ada))).rejects.toMatchObject({
      name: 'CommandRejected',
      code: 'STREAM_DAMAGED',
      cause: damaged,
    });
  });
});
