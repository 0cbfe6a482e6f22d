import type { RetentionEvent } from '../../events/domain-event.ts';
import type { GroupId } from '../../events/ids.ts';
import { retentionStream } from '../../events/streams.ts';
import type { Aggregate, AggregateRef } from '../command.ts';

/** The months of a group that have expired, `YYYY-MM`. */
export interface Retention {
  expired: readonly string[];
}

const retention: Aggregate<Retention, RetentionEvent> = {
  initial: { expired: [] },
  evolve: ({ expired }, { data: { month } }) => ({ expired: [...expired, month] }),
};

export const retentionOf = (groupId: GroupId): AggregateRef<Retention> => ({
  stream: retentionStream(groupId),
  aggregate: retention,
});
