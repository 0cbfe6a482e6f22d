import { PassThrough } from 'node:stream';
import { createArchiveKind, type WatchMembers } from './sniff-archive-kind.ts';
import type { Check, SniffedReason } from './sniff-check.ts';
import { type ArchiveLimits, BadArchive, walkArchive } from './sniff-archive-members.ts';
import { createSource } from './sniff-archive-source.ts';

/**
 * The default limits of clamd (MaxFileSize, MaxScanSize, MaxRecursion, MaxFiles). Up to 1.4, it silently
 * passes a member of a zip archive that is larger than MaxFileSize (Cisco-Talos/clamav#1832), or compressed
 * in a way it does not know. Its "OK" therefore holds only within these limits.
 */
const LIMITS: ArchiveLimits = {
  memberBytes: 100 * 2 ** 20,
  bytes: 400 * 2 ** 20,
  depth: 16,
  members: 10_000,
};

/**
 * Checks that a zip archive, and every zip archive in it, can be inspected, unpacks within the limits, reads
 * the same from its start and from its directory, and is of the declared kind. Members are inflated as they
 * pass, and dropped.
 */
export function createArchiveCheck(contentType: string): Check {
  const kind = createArchiveKind(contentType);
  const passing = new PassThrough({ highWaterMark: 65_536 });
  let isOver = false;
  const result = walk(passing, kind.watch).finally(() => (isOver = true));
  return {
    async see(chunk) {
      if (!isOver && !passing.write(chunk))
        await Promise.race([new Promise<void>((resolve) => passing.once('drain', resolve)), result]);
    },
    async refusal() {
      passing.end();
      return (await result) ?? kind.refusal();
    },
    close: () => void passing.destroy(),
  };
}

async function walk(passing: PassThrough, watch: WatchMembers): Promise<SniffedReason | undefined> {
  const source = createSource(passing.iterator({ destroyOnReturn: false }));
  try {
    await walkArchive(source, { ...LIMITS }, watch);
    return undefined;
  } catch (err) {
    return err instanceof BadArchive ? err.reason : 'type-does-not-match';
  } finally {
    // Keeps the writer from blocking.
    passing.resume();
  }
}
