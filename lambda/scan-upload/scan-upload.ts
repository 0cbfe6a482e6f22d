import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { z } from 'zod';
import { FileId } from '../../src/events/ids.ts';
import { CHANGED_SINCE, type Finding, INSPECTION_FAILED } from '../../src/files/inspect/finding.ts';
import { inspect } from '../../src/files/inspect/inspect.ts';
import { BudgetExceeded, type Sandbox } from '../../src/files/inspect/sandbox.ts';
import type { ScanOrder } from '../../src/files/inspect/scan-report.ts';
import { type Scanner, ScannerUnavailable } from '../../src/files/inspect/scanner.ts';
import { type FileStorage, ObjectChanged } from '../../src/files/storage.ts';
import type { ScanServer } from './scan-server.ts';

/** The used part of S3's event (AWS, "Event message structure"); its keys are form-encoded. */
const ObjectsCreated = z.object({
  Records: z.array(
    z.object({
      s3: z.object({
        bucket: z.object({ name: z.string() }),
        object: z.object({ key: z.string(), eTag: z.string() }),
      }),
    }),
  ),
});

type UploadKey = `quarantine/${FileId}`;

/** A cold start first loads a million signatures; until then clamd does not answer. */
const SCANNER_PAUSE_MS = 1_000;
/** The part of the remaining time reserved for the report. */
const REPORT_MS = 20_000;

/**
 * Inspects the objects of an event and reports the findings. Rejects when anything failed;
 * everything may be repeated. `remainingMs` is the time left for the call.
 */
export function createScanUpload({
  bucket,
  storage,
  scanner,
  sandbox,
  server,
  log,
}: {
  bucket: string;
  storage: Pick<FileStorage, 'read'>;
  scanner: Scanner;
  sandbox: Sandbox;
  server: ScanServer;
  log: Logger;
}): (event: unknown, remainingMs: number) => Promise<void> {
  async function findingOf(
    key: UploadKey,
    etag: string,
    file: ScanOrder,
    signal: AbortSignal,
  ): Promise<Finding> {
    for (;;)
      try {
        return await inspect({ file, open: () => storage.read(key, { etag }), scanner, sandbox, signal });
      } catch (error) {
        if (error instanceof ObjectChanged) return CHANGED_SINCE;
        if (error instanceof BudgetExceeded) return INSPECTION_FAILED;
        if (!(error instanceof ScannerUnavailable)) throw error;
        log.info({ err: error }, 'the scanner is not ready');
        await pause(SCANNER_PAUSE_MS, undefined, { signal });
      }
  }

  async function scan(key: UploadKey, etag: string, signal: AbortSignal): Promise<void> {
    const order = await server.order({ key, etag });
    if (!order) return log.info({ key }, 'there is nothing to scan');
    const finding = await findingOf(key, etag, order, signal);
    await server.report({ key, etag, finding });
    log.info({ key, verdict: finding.verdict }, 'reported');
  }

  return async (event, remainingMs) => {
    const signal = AbortSignal.timeout(Math.max(0, remainingMs - REPORT_MS));
    for (const { s3 } of ObjectsCreated.parse(event).Records) {
      const [folder, id, ...rest] = decodeURIComponent(s3.object.key.replaceAll('+', ' ')).split('/');
      const fileId = FileId.safeParse(id);
      const isOurs =
        s3.bucket.name === bucket && folder === 'quarantine' && fileId.success && rest.length === 0;
      if (isOurs) await scan(`quarantine/${fileId.data}`, s3.object.eTag, signal);
      else log.warn({ bucket: s3.bucket.name }, 'an object that is no upload was left alone');
    }
  };
}
