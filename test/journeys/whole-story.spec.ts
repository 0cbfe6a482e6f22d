import { rm } from 'node:fs/promises';
import { type EventStoreDb, startEventStoreDb } from '../support/eventstoredb/eventstoredb.ts';
import { startServer } from '../../tools/server-process.ts';
import { describeLeaderDeath } from '../support/journeys/leader-death.ts';
import { STORY_ENV, describeWholeStory } from '../support/journeys/whole-story.ts';

/** A real EventStoreDB, or all nodes of a cluster, and commands that end and start one of them. */
const {
  EVENTSTOREDB_TEST_URL: realUrl,
  EVENTSTOREDB_TEST_END: end,
  EVENTSTOREDB_TEST_START: start,
} = process.env;

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
  let standIn: EventStoreDb | undefined;
  beforeAll(async () => {
    standIn = realUrl === undefined ? await startEventStoreDb() : undefined;
  });
  afterAll(() => standIn?.stop());

  describeWholeStory('on EventStoreDB', () => oneProcess({ EVENTSTOREDB_URL: realUrl ?? standIn!.url }));
});

if (realUrl !== undefined && end !== undefined && start !== undefined)
  describeLeaderDeath({ url: realUrl, end, start }, () => oneProcess({ EVENTSTOREDB_URL: realUrl }));
