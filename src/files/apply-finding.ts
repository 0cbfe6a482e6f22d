import type { Readable } from 'node:stream';
import { clearFile } from '../commands/file/clear-file.ts';
import { refuseFile } from '../commands/file/refuse-file.ts';
import type { HandleCommand } from '../commands/handle-command.ts';
import { CommandRejected } from '../commands/rejection.ts';
import type { RefusalReason } from '../events/file.ts';
import { type FileInLog, type ScanningFile, because } from './file-in-log.ts';
import { nameFor } from './inspect/decide-kind.ts';
import { CHANGED_SINCE, type Finding } from './inspect/finding.ts';
import { type FileStorage, ObjectChanged, storageKey } from './storage.ts';

/** Acts on a finding. Rejects, with nothing decided, when storage or the log cannot take it now. */
export type ApplyFinding = (inspected: FileInLog<ScanningFile>, finding: Finding) => Promise<void>;

/** Resolves with an image of at most 320 px; undefined when the bytes do not make one. */
export type MakeThumbnail = (
  open: () => Promise<{ size: number; body: Readable }>,
) => Promise<Uint8Array | undefined>;

const MAX_SIGNATURE = 200;

/**
 * Creates the function that settles a file. A cleared file is copied to `clean/`, gets its thumbnail, and
 * only then counts as clean; a refusal goes to the log. Every step may be repeated, so the next inspection
 * repairs a crash between two of them. Removing objects from storage is left to `remove-leftover-bytes.ts`,
 * which follows the log.
 */
export function createApplyFinding({
  handle,
  storage,
  makeThumbnail,
}: {
  handle: HandleCommand;
  storage: Pick<FileStorage, 'copy' | 'read' | 'put' | 'remove'>;
  makeThumbnail: MakeThumbnail;
}): ApplyFinding {
  async function keepThumbnail({ fileId, contentType, etag }: ScanningFile): Promise<boolean> {
    if (!contentType.startsWith('image/')) return false;
    const open = () => storage.read(storageKey('quarantine', fileId), { etag });
    const thumbnail = await makeThumbnail(open);
    if (!thumbnail) return false;
    await storage.put(storageKey('thumbnails', fileId), thumbnail, 'image/webp');
    return true;
  }

  async function clear(
    { file, cause }: FileInLog<ScanningFile>,
    { sha256, contentType }: Extract<Finding, { verdict: 'cleared' }>,
  ): Promise<void> {
    const { fileId, etag } = file;
    const keys = [storageKey('clean', fileId), storageKey('thumbnails', fileId)] as const;
    await storage.copy(storageKey('quarantine', fileId), keys[0], { etag });
    const hasThumbnail = await keepThumbnail({ ...file, contentType: contentType ?? file.contentType });
    const detected = contentType !== undefined && { contentType, name: nameFor(file.name, contentType) };
    try {
      await handle(clearFile, { fileId, etag, sha256, hasThumbnail, ...detected }, because(cause));
    } catch (error) {
      // Another process refused the file meanwhile, and may have tidied up before the copy was made.
      if (error instanceof CommandRejected) await storage.remove(keys);
      else throw error;
    }
  }

  async function refuse(
    { file: { fileId }, cause }: FileInLog<ScanningFile>,
    reason: RefusalReason,
    signature: string | null,
  ): Promise<void> {
    try {
      const known = signature === null ? null : signature.slice(0, MAX_SIGNATURE);
      await handle(refuseFile, { fileId, reason, signature: known }, because(cause));
    } catch (error) {
      // Another process cleared the file meanwhile. The first decision stands.
      if (!(error instanceof CommandRejected)) throw error;
    }
  }

  return async (inspected, finding) => {
    if (finding.verdict === 'refused') return refuse(inspected, finding.reason, finding.signature);
    try {
      await clear(inspected, finding);
    } catch (error) {
      if (!(error instanceof ObjectChanged)) throw error;
      await refuse(inspected, CHANGED_SINCE.reason, CHANGED_SINCE.signature);
    }
  };
}
