import { randomUUID } from 'node:crypto';
import type { DomainEvent } from '../src/events/domain-event.ts';
import type { EventStore } from '../src/events/event-store.ts';
import { ApplicationId, ClientMsgId, GroupId, JobId, MessageId, UserId } from '../src/events/ids.ts';
import { type Stream, accountStream, chatGroupStream, conversationStream } from '../src/events/streams.ts';
import { newId } from '../src/kit/uuids.ts';
import { TEXT } from './append-peers.ts';
import { inFlight } from './bench.ts';

/** Appends in flight while a world is created: enough for the store to commit large batches. */
const IN_FLIGHT = 500;

export interface World {
  groups: { groupId: GroupId; members: UserId[] }[];
}

/** Appends the events that calls over REST would have caused, without the time for hashing passwords. */
export function appendTo(store: EventStore) {
  return async (stream: Stream, ...events: DomainEvent[]) => {
    const verdict = await store.append({
      stream,
      events: events.map((event) => ({ id: newId(), event })),
      expected: 'any',
      occurredAt: new Date().toISOString(),
      metadata: { actorId: null, correlationId: randomUUID(), causationId: null },
    });
    if (verdict.outcome !== 'appended') throw new Error(`${stream}: ${verdict.outcome}`);
  };
}

/**
 * Appends accounts and open groups. The first member of each group is its admin, or `adminId` in all groups
 * if given, whose account must exist. In private the first member of each is a company, and the second has a thread with
 * it.
 */
export async function makeWorld(
  store: EventStore,
  {
    groups,
    members,
    adminId: everywhere,
    isPrivate = false,
  }: { groups: number; members: number; adminId?: UserId; isPrivate?: boolean },
): Promise<World> {
  const append = appendTo(store);
  const world = Array.from({ length: groups }, () => ({
    groupId: GroupId.parse(newId()),
    members: Array.from({ length: members }, (_, index) =>
      index === 0 && everywhere !== undefined ? everywhere : UserId.parse(newId()),
    ),
  }));
  const people = world
    .flatMap((group) =>
      group.members.map(
        (userId, index) => ({ userId, role: index === 0 ? 'company' : 'applicant' }) as const,
      ),
    )
    .filter(({ userId }) => userId !== everywhere);
  await inFlight(IN_FLIGHT, people, ({ userId, role }) => {
    const data = { userId, role, displayName: `Member ${userId.slice(-4)}` };
    return append(accountStream(userId), { type: 'AccountRegistered', data });
  });
  await inFlight(IN_FLIGHT, world, ({ groupId, members: [adminId, ...others] }) => {
    if (adminId === undefined) throw new Error('a group needs an admin');
    const name = 'A group of the benchmarks';
    const created = isPrivate ? threadOf(others[0]!) : { jobId: null };
    return append(
      chatGroupStream(groupId),
      { type: 'ChatGroupCreated', data: { groupId, name, adminId, ...created } },
      ...others.map((userId): DomainEvent => ({
        type: 'MemberJoined',
        data: { groupId, userId, role: 'member' },
      })),
    );
  });
  return { groups: world };
}

const threadOf = (applicantId: UserId) => ({
  ...{ jobId: JobId.parse(newId()), applicationId: ApplicationId.parse(newId()) },
  ...{ kind: 'thread' as const, applicantId },
});

const messageSent = (groupId: GroupId, senderId: UserId, text = TEXT): DomainEvent => ({
  type: 'MessageSent',
  data: {
    groupId,
    messageId: MessageId.parse(newId()),
    senderId,
    clientMsgId: ClientMsgId.parse(randomUUID()),
    text,
    fileIds: [],
    replyTo: null,
  },
});

/** Returns twelve words with a natural frequency. */
export const naturalText = () =>
  Array.from({ length: 12 }, () => `w${Math.floor(Math.exp(Math.random() * Math.log(20_000)))}`).join(' ');

/** Appends messages of one group at once, whose members take turns. */
export const appendMessages = (
  store: EventStore,
  { groupId, members }: World['groups'][number],
  messages: number,
): Promise<void> =>
  appendTo(store)(
    conversationStream(groupId),
    ...Array.from({ length: messages }, (_, index) =>
      messageSent(groupId, members[index % members.length] as UserId, naturalText()),
    ),
  );

/** Appends messages of one group, whose members take turns. */
export async function fillConversation(
  store: EventStore,
  { groupId, members }: World['groups'][number],
  messages: number,
  textOf: (index: number) => string = () => TEXT,
): Promise<void> {
  const append = appendTo(store);
  const numbers = Array.from({ length: messages }, (_, index) => index);
  await inFlight(IN_FLIGHT, numbers, (index) => {
    const sender = members[index % members.length] as UserId;
    return append(conversationStream(groupId), messageSent(groupId, sender, textOf(index)));
  });
}

/** Appends messages to all groups of a world; every tenth is edited or gets a reaction. */
export async function fillWorld(store: EventStore, { groups }: World, events: number): Promise<void> {
  const append = appendTo(store);
  const numbers = Array.from({ length: Math.floor(events / 1.1) }, (_, index) => index);
  await inFlight(IN_FLIGHT, numbers, async (index) => {
    const { groupId, members } = groups[index % groups.length] as World['groups'][number];
    const userId = members[index % members.length] as UserId;
    const sent = messageSent(groupId, userId);
    const messageId = (sent.data as { messageId: MessageId }).messageId;
    const changed: DomainEvent[] = [
      { type: 'MessageEdited', data: { groupId, messageId, text: `${TEXT} (edited)` } },
      { type: 'ReactionAdded', data: { groupId, messageId, userId, emoji: '👍' } },
    ];
    await append(
      conversationStream(groupId),
      sent,
      ...(index % 10 === 0 ? [changed[(index / 10) % 2]!] : []),
    );
  });
}
