import { type EventStoreDb, startEventStoreDb } from '../support/eventstoredb/eventstoredb.ts';
import { stageEventStoreDb } from '../support/eventstoredb/stage.ts';
import { describeAppendHistories } from './append-histories.ts';
import { describeEventStore } from './event-store-contract.ts';
import { describeSealedText } from './sealed-text-contract.ts';

/** The URL of a real server, which keeps the events of earlier tests. */
const realUrl = process.env['EVENTSTOREDB_TEST_URL'];

const where = `on ${realUrl ? 'EventStoreDB' : 'a stand-in of EventStoreDB'}`;

describeEventStore(where, async () => {
  const server: EventStoreDb | undefined = realUrl ? undefined : await startEventStoreDb();
  const stage = await stageEventStoreDb(realUrl ?? server!.url);
  return {
    store: await stage.open(),
    async close() {
      await stage.close();
      await server?.stop();
    },
  };
});

describeSealedText(where, async () => {
  const server: EventStoreDb | undefined = realUrl ? undefined : await startEventStoreDb();
  const stage = await stageEventStoreDb(realUrl ?? server!.url);
  return {
    open: () => stage.openSealed(),
    async close() {
      await stage.close();
      await server?.stop();
    },
  };
});

describeAppendHistories(where, async () => {
  const server: EventStoreDb | undefined = realUrl ? undefined : await startEventStoreDb();
  const stage = await stageEventStoreDb(realUrl ?? server!.url);
  return {
    stores: [await stage.open(), await stage.open()],
    faults: server
      ? [
          () => server.faults.loseReply(),
          () => server.faults.answerLate(20),
          () => server.faults.answerTwice(),
          () => server.faults.unavailable(),
          () => server.faults.dropStreams(),
          () => server.faults.deliverTwice(),
        ]
      : [],
    // EventStoreDB knows ids in their streams only.
    isIdUnique: false,
    async close() {
      await stage.close();
      await server?.stop();
    },
  };
});
