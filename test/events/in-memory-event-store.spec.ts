import { createInMemoryEventStore } from '../support/language/in-memory-event-store.ts';
import { describeEventStore, describeGaplessPositions } from './event-store-contract.ts';

const open = async () => ({ store: createInMemoryEventStore(), close: () => Promise.resolve() });

describeEventStore('in memory', open);
describeGaplessPositions('in memory', open);
