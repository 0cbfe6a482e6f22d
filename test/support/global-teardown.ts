import { rm } from 'node:fs/promises';
import type { EmbeddedPostgres } from '../../src/platform/embedded-postgres.ts';

interface Started {
  testPostgres: { postgres: EmbeddedPostgres; dataDir: string };
}

export default async function tearDown(): Promise<void> {
  const { postgres, dataDir } = (globalThis as unknown as Started).testPostgres;
  await postgres.stop();
  await rm(dataDir, { recursive: true, force: true });
}
