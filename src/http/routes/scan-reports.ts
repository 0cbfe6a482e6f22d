import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { completeUpload } from '../../commands/file/complete-upload.ts';
import type { HandleCommand } from '../../commands/handle-command.ts';
import type { EventStore } from '../../events/event-store.ts';
import { FileId } from '../../events/ids.ts';
import { because, fileInLog, isScanning } from '../../files/file-in-log.ts';
import {
  type Nonces,
  ScanOrder,
  ScanOrderRequest,
  ScanReport,
  verifyReport,
} from '../../files/inspect/scan-report.ts';
import type { ApplyFinding } from '../../files/apply-finding.ts';
import { type FileStorage, storageKey } from '../../files/storage.ts';
import { parseJson } from '../json.ts';
import { ProblemError, problem } from '../../protocol/problem.ts';
import type { HttpApp } from '../route-deps.ts';

export interface ScanReportRoutes {
  /** The keys with any of which the other side signs. */
  secrets: readonly string[];
  nonces: Nonces;
  store: Pick<EventStore, 'readStream'>;
  handle: HandleCommand;
  storage: Pick<FileStorage, 'stat'>;
  applyFinding: ApplyFinding;
  /** In milliseconds since 1970. */
  now?: () => number;
}

const tags = ['Scanner'];
/** A large image is copied and scaled down before the answer. A caller that gave up may repeat the call. */
const SETTLE_MS = 60_000;

const fileIdOf = (key: string) => FileId.parse(key.slice('quarantine/'.length));
const refused = (code: 'FORBIDDEN' | 'FILE_NOT_FOUND' | 'FILE_NOT_UPLOADED') =>
  new ProblemError(problem(code));

/**
 * Defines the routes of an external scanner, such as lambda/scan-upload: it asks what to scan, and reports its
 * finding. Its requests have no token; the bytes of each body are signed, see files/inspect/scan-report.ts.
 */
export function scanReportRoutes(app: HttpApp, deps: ScanReportRoutes): void {
  const { secrets, nonces, store, handle, storage, applyFinding, now = Date.now } = deps;

  async function verified(request: FastifyRequest): Promise<void> {
    const { headers, body } = request as FastifyRequest<{ Body: Buffer | undefined }>;
    const bytes = body ?? Buffer.alloc(0);
    if (!(await verifyReport(secrets, { headers, body: bytes }, { nonces, now: now() })))
      throw refused('FORBIDDEN');
    request.body = parseJson(bytes);
  }

  /** Resolves with the file that waits for a report on this version, completing it if necessary; undefined if settled. */
  async function awaiting({ key, etag }: ScanOrderRequest) {
    const fileId = fileIdOf(key);
    let found = await fileInLog(store, fileId);
    if (!found) throw refused('FILE_NOT_FOUND');
    if (found.file.status === 'pending') {
      const stored = await storage.stat(storageKey('quarantine', fileId));
      if (stored?.etag !== etag) throw refused('FILE_NOT_UPLOADED');
      await handle(completeUpload, { fileId, etag }, because(found.cause));
      found = await fileInLog(store, fileId);
    }
    if (!isScanning(found)) return undefined;
    if (found.file.etag !== etag) throw refused('FILE_NOT_UPLOADED');
    return found;
  }

  void app.register(async (scanner: HttpApp) => {
    scanner.removeContentTypeParser('application/json');
    // The bytes are not parsed before their signature is checked.
    scanner.addContentTypeParser(
      'application/json',
      { parseAs: 'buffer' },
      async (_: unknown, body: Buffer) => body,
    );
    scanner.addHook('preValidation', verified);

    scanner.post(
      '/internal/scan-orders',
      {
        config: { refusals: ['FORBIDDEN', ...completeUpload.refuses, 'FILE_NOT_UPLOADED'] },
        schema: {
          tags,
          operationId: 'orderScan',
          summary: 'For the scanner: what an object of quarantine was declared to be',
          security: [],
          body: ScanOrderRequest,
          response: {
            200: ScanOrder,
            204: z.undefined().describe('The file is settled: there is nothing to scan'),
          },
        },
      },
      async ({ body }, reply) => {
        const found = await awaiting(body);
        if (!found) return reply.code(204).send();
        const { size, contentType, sha256 } = found.file;
        return { size, contentType, sha256 };
      },
    );

    scanner.post(
      '/internal/scan-reports',
      {
        config: {
          answerMs: SETTLE_MS,
          refusals: ['FORBIDDEN', ...completeUpload.refuses, 'FILE_NOT_UPLOADED'],
        },
        schema: {
          tags,
          operationId: 'reportScan',
          summary: 'For the scanner: what was found in an object of quarantine',
          security: [],
          body: ScanReport,
          response: { 204: z.undefined().describe('The file is settled') },
        },
      },
      async ({ body: { finding, ...object } }, reply) => {
        const found = await awaiting(object);
        if (found) await applyFinding(found, finding);
        return reply.code(204).send();
      },
    );
  });
}
