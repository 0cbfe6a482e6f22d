import type { OperationEvent } from '../../events/domain-event.ts';
import type { ActId } from '../../events/ids.ts';
import { operationStream } from '../../events/streams.ts';
import type { Aggregate, AggregateRef } from '../command.ts';

/** An act of an operator, which is on record or not. */
export type Operation = { status: 'none' | 'acted' };

const operation: Aggregate<Operation, OperationEvent> = {
  initial: { status: 'none' },
  evolve: (): Operation => ({ status: 'acted' }),
};

export const operationOf = (actId: ActId): AggregateRef<Operation> => ({
  stream: operationStream(actId),
  aggregate: operation,
});
