import { chatGroupOf } from '../../../src/commands/chat-group/chat-group.ts';
import { moveReadMarker, moveReadMarkerInput } from '../../../src/commands/read-marker/move-read-marker.ts';
import { ada, eve, group as history, groupId } from '../../support/language/example-events.ts';

const { aggregate } = chatGroupOf(groupId);
const group = history.reduce((state, event) => aggregate.evolve(state, event as never), aggregate.initial);
const known = { group, marker: 3, headSeq: 7 };

describe('a read marker', () => {
  test('moves forward', () => expect(moveReadMarker({ seq: 5 }, known, ada)).toBe(5));
  test('never moves back', () => expect(moveReadMarker({ seq: 1 }, known, ada)).toBe(3));
  test('stays when moved to the same place', () => expect(moveReadMarker({ seq: 3 }, known, ada)).toBe(3));
  test('never passes the last message', () => expect(moveReadMarker({ seq: 99 }, known, ada)).toBe(7));
  test('does not exist for a stranger', () =>
    expect(() => moveReadMarker({ seq: 5 }, known, eve)).toThrow('GROUP_NOT_FOUND'));

  test.each([-1, 1.5, 2 ** 53, '5', null])('rejects %s', (seq) =>
    expect(moveReadMarkerInput.safeParse({ groupId, seq }).success).toBe(false),
  );
});
