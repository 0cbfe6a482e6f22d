import type { Logger } from 'pino';
import type { Config } from '../../config.ts';
import type { FileStorage } from '../../files/storage.ts';
import { watchAbilities } from './abilities.ts';
import { createS3Storage } from './storage.ts';
import { s3Clients } from './client.ts';

/** Longest time that a server may take to answer the probe. */
const ANSWER_MS = 5_000;

/** Opens storage in S3. Amazon has all abilities; another server is asked first. */
export async function openS3Storage(
  settings: NonNullable<Config['s3']>,
  {
    log,
    probeMs,
    firstPauseMs,
    ...options
  }: Parameters<typeof createS3Storage>[1] & { log: Logger; probeMs?: number; firstPauseMs?: number },
): Promise<FileStorage & { close(): void }> {
  if (settings.endpoint === undefined) return createS3Storage(settings, options);
  const { bucket, pathStyle } = settings;
  const clients = s3Clients(settings, { answerMs: ANSWER_MS, credentials: options.credentials });
  const watched = await watchAbilities({
    ...{ bucket, pathStyle, log, clientOf: clients.clientOf },
    ...(probeMs !== undefined && { probeMs }),
    ...(firstPauseMs !== undefined && { firstPauseMs }),
  });
  const storage = createS3Storage(settings, { ...options, abilities: watched.current });
  return {
    ...storage,
    close() {
      watched.stop();
      clients.close();
      storage.close();
    },
  };
}
