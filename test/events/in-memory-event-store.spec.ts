import { createInMemoryEventStore } from '../support/in-memory-event-store.ts';
import { describeEventStore } from './event-store-contract.ts';

describeEventStore('in memory', async () => ({
  store: createInMemoryEventStore(),
  close: () => Promise.resolve(),
}));
