import { fileURLToPath } from 'node:url';
import type { Context, S3Event } from 'aws-lambda';
import { pino } from 'pino';
import { z } from 'zod';
import { createClamdScanner } from '../../src/adapters/clamd/scanner.ts';
import { createProcessSandbox } from '../../src/adapters/os/sandbox.ts';
import { createS3Storage } from '../../src/adapters/s3/storage.ts';
import { createScanServer } from './scan-server.ts';
import { createScanUpload } from './scan-upload.ts';

const Settings = z.object({
  /** The URL of the server, as in https://chat.example.org. */
  SERVER_URL: z.url({ protocol: /^https?$/ }),
  /** The same secret as the server's. */
  SCAN_WEBHOOK_SECRET: z.string().min(32),
  S3_BUCKET: z.string().min(1),
  AWS_REGION: z.string().min(1),
  CLAMD_URL: z.string().default('unix:///tmp/clamd.sock'),
  LOG_LEVEL: z.string().default('info'),
  /** For S3-compatible servers. */
  S3_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  S3_PATH_STYLE: z.stringbool().default(false),
});

const settings = Settings.parse(process.env);
const log = pino({ level: settings.LOG_LEVEL, base: null });
const bucket = settings.S3_BUCKET;
const scanUpload = createScanUpload({
  bucket,
  storage: createS3Storage({
    bucket,
    endpoint: settings.S3_ENDPOINT,
    publicEndpoint: undefined,
    region: settings.AWS_REGION,
    pathStyle: settings.S3_PATH_STYLE,
  }),
  scanner: createClamdScanner({ url: settings.CLAMD_URL, log }),
  sandbox: createProcessSandbox({ program: fileURLToPath(new URL('sandbox-process.mjs', import.meta.url)) }),
  server: createScanServer({ url: settings.SERVER_URL, secret: settings.SCAN_WEBHOOK_SECRET, log }),
  log,
});

/**
 * The entry point for S3's ObjectCreated. When it rejects, Lambda retries, and finally sends the event to the
 * failure queue.
 */
export const handler = (event: S3Event, context: Pick<Context, 'getRemainingTimeInMillis'>): Promise<void> =>
  scanUpload(event, context.getRemainingTimeInMillis());
