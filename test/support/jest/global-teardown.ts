import { rm } from 'node:fs/promises';
import type { EmbeddedPostgres } from '../../../src/adapters/embedded-postgres/embedded-postgres.ts';

interface Started {
  testFolder: string;
  testPostgres: EmbeddedPostgres;
}

export default async function tearDown(): Promise<void> {
  const { testFolder, testPostgres } = globalThis as unknown as Started;
  await testPostgres.stop();
  await rm(testFolder, { recursive: true, force: true, maxRetries: 5 });
}
