import { type EventStoreDb, startEventStoreDb } from '../support/eventstoredb/eventstoredb.ts';
import { stageEventStoreDb } from '../support/eventstoredb/stage.ts';
import { describeEventStore } from './event-store-contract.ts';

/** The URL of a real server, which keeps the events of earlier tests. */
const realUrl = process.env['EVENTSTOREDB_TEST_URL'];

describeEventStore(`on ${realUrl ? 'EventStoreDB' : 'a stand-in of EventStoreDB'}`, async () => {
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
