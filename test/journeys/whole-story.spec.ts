import { rm } from 'node:fs/promises';
import { type EventStoreDb, startEventStoreDb } from '../support/eventstoredb/eventstoredb.ts';
import { startServer } from '../../tools/server-process.ts';
import { STORY_ENV, describeWholeStory } from '../support/journeys/whole-story.ts';

async function oneProcess(env: Record<string, string> = {}) {
  const server = await startServer({ env: { ...STORY_ENV, ...env } });
  return {
    url: server.url,
    async close() {
      await server.killTree();
      await rm(server.dataDir, { recursive: true, force: true });
    },
  };
}

describeWholeStory('on one process with everything embedded', () => oneProcess());

describe('with another log', () => {
  let eventStoreDb: EventStoreDb;
  beforeAll(async () => {
    eventStoreDb = await startEventStoreDb();
  });
  afterAll(() => eventStoreDb.stop());

  describeWholeStory('on EventStoreDB', () => oneProcess({ EVENTSTOREDB_URL: eventStoreDb.url }));
});
