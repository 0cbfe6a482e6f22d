import { chatGroupOf } from '../../src/commands/chat-group/chat-group.ts';
import type { Actor } from '../../src/commands/command.ts';
import type { DomainEvent, EventOf } from '../../src/events/domain-event.ts';
import type { Recorded } from '../../src/events/event-store.ts';
import { audienceOf, sizeOf, whoIsAway } from '../../src/notifications/decide/audience.ts';
import { messageNumber, said } from '../support/language/conversation.ts';
import {
  acme,
  ada,
  bob,
  eve,
  group,
  groupId,
  joined,
  left,
  removed,
  uuid,
} from '../support/language/example-events.ts';
import { recorded } from '../support/language/projection.ts';

const byId = (a: string, b: string) => (a < b ? -1 : 1);

/** Computes the audience of the last event after the given history. */
function given(...history: DomainEvent[]) {
  const events = recorded(history);
  const last = events.at(-1)!;
  const { aggregate, stream } = chatGroupOf(groupId);
  const state = events
    .filter((event) => event.stream === stream)
    .reduce((so, event) => aggregate.evolve(so, event as never), aggregate.initial);
  if (state.status === 'none') throw new Error('no group');
  const audience = audienceOf(last as Recorded<EventOf<'MessageSent'>>, state.members, 0);
  return {
    size: sizeOf(audience),
    whenAway: (...away: Actor[]) =>
      whoIsAway(audience, (userId) => away.some((person) => person.userId === userId))
        .map(({ recipientId }) => recipientId)
        .sort(byId),
    told: whoIsAway(audience, () => true),
  };
}
const ids = (...people: Actor[]) => people.map(({ userId }) => userId).sort(byId);

describe('the audience of a message', () => {
  test('contains the members who are away', () => {
    const { size, whenAway } = given(...group, said(1, ada));
    expect(size).toBe(2);
    expect(whenAway(acme, bob)).toEqual(ids(acme, bob));
    expect(whenAway(bob)).toEqual(ids(bob));
    expect(whenAway()).toEqual([]);
  });

  test('never contains its sender', () =>
    expect(given(...group, said(1, ada)).whenAway(ada, bob)).toEqual(ids(bob)));

  test('excludes users who are not, or no longer, in the group', () => {
    const { size, whenAway } = given(...group, joined(eve), left(eve), removed(bob), said(1, ada));
    expect(size).toBe(1);
    expect(whenAway(acme, ada, bob, eve)).toEqual(ids(acme));
  });

  test('contains every member when the sender has left meanwhile', () => {
    const { size, whenAway } = given(...group, said(0, bob), left(ada), said(1, ada));
    expect(size).toBe(2);
    expect(whenAway(acme, ada, bob)).toEqual(ids(acme, bob));
  });

  test('refers to the message by its event, its seq and its position in the log', () =>
    expect(given(...group, said(1, bob), left(acme), said(2, bob)).told).toEqual([
      {
        eventId: uuid(0xe000 + 6),
        recipientId: ada.userId,
        kind: 'message',
        groupId,
        subjectId: messageNumber(2),
        seq: 2,
        position: 6,
      },
    ]));
});
