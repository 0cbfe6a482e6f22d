import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { Map as ImmutableMap } from 'immutable';
import type { Members } from '../../src/commands/chat-group/chat-group.ts';
import { GroupId, UserId } from '../../src/events/ids.ts';
import { type Undecided, UndecidedMessages } from '../../src/notifications/decide/undecided.ts';
import { memoryInUse } from '../support/memory-in-use.ts';

/** Flattens a string as JSON parsing does; concatenated ids take more memory. */
const newId = (): string => JSON.parse(`"${randomUUID()}"`) as string;

const members: Members = ImmutableMap([[UserId.parse(newId()), 'member']]);

const message = (position: number, decideAt: number): Undecided => ({
  notice: {
    eventId: newId(),
    kind: 'message',
    groupId: GroupId.parse(newId()),
    subjectId: newId(),
    seq: position + 1,
    position,
  },
  senderId: UserId.parse(newId()),
  members,
  roster: 3,
  sentAt: decideAt - 30_000.5,
  pushedBy: decideAt - 29_000,
  decideAt,
  ...(position % 3 === 0 && { isSelected: true }),
});

describe('undecided messages', () => {
  test('are taken in order, when they are due or when there are too many', () => {
    const steps = fc.array(
      fc.record({ added: fc.nat(1_500), passed: fc.nat(2_000), limit: fc.integer({ min: 1, max: 1_500 }) }),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(steps, fc.nat(3_000), (all, most) => {
        const undecided = new UndecidedMessages(most);
        let expected: Undecided[] = [];
        let now = 1_800_000_000_000;
        let position = 0;
        for (const { added, passed, limit } of all) {
          for (let count = 0; count < added; count += 1) {
            const one = message((position += 1), now + count);
            undecided.add(one);
            expected.push(one);
          }
          now += passed;
          const tooMany = expected.length - most;
          const isOut = ({ decideAt }: Undecided, index: number) => index < tooMany || decideAt <= now;
          const first = expected.findIndex((one, index) => !isOut(one, index));
          const out = expected.slice(0, Math.min(limit, first === -1 ? expected.length : first));
          expected = expected.slice(out.length);
          expect(undecided.take(now, limit)).toEqual(out);
          expect(undecided.first()).toBe(expected[0]?.notice.position);
        }
      }),
      { numRuns: 10 },
    );
  });

  test('take at most 250 bytes each, and none once they are taken', () => {
    const kept = 50_000;
    const before = memoryInUse();
    const undecided = new UndecidedMessages(kept);
    for (let position = 1; position < 2 * kept; position += 1) {
      undecided.add(message(position, position));
      undecided.take(position - kept, 10);
    }
    const bytes = (memoryInUse() - before) / kept;
    expect(undecided.first()).toBe(kept);
    expect(bytes).toBeGreaterThan(100);
    expect(bytes).toBeLessThan(250);
    undecided.take(2 * kept, kept);
    expect(undecided.first()).toBeUndefined();
    expect(memoryInUse() - before).toBeLessThan(10 * kept);
  });
});
