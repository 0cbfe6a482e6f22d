import type { HoldEvent } from '../../events/domain-event.ts';
import type { GroupId, HoldId } from '../../events/ids.ts';
import { holdStream } from '../../events/streams.ts';
import type { Aggregate, AggregateRef } from '../command.ts';

export type Hold = { status: 'none' } | { status: 'placed' | 'released'; groupId: GroupId };

const hold: Aggregate<Hold, HoldEvent> = {
  initial: { status: 'none' },
  evolve: (_, { type, data: { groupId } }): Hold => ({
    status: type === 'HoldPlaced' ? 'placed' : 'released',
    groupId,
  }),
};

export const holdOf = (holdId: HoldId): AggregateRef<Hold> => ({
  stream: holdStream(holdId),
  aggregate: hold,
});
