import { PassThrough } from 'node:stream';
import { createArchiveKind, type WatchMembers } from './sniff-archive-kind.ts';
import type { Check, SniffedReason } from './sniff-check.ts';
import { type ArchiveLimits, BadArchive, walkArchive } from './sniff-archive-members.ts';
import { createSource } from './sniff-archive-source.ts';

/**
 * What clamd looks into by default (MaxFileSize, MaxScanSize, MaxRecursion, MaxFiles). Up to 1.4, it takes a member of a
 * zip archive that is larger than MaxFileSize for clean without a word (Cisco-Talos/clamav#1832), and one that is
 * compressed in a way it does not know; so its "OK" holds only within these limits.
 */
const LIMITS: ArchiveLimits = {
  memberBytes: 100 * 2 ** 20,
  bytes: 400 * 2 ** 20,
  depth: 16,
  members: 10_000,
};

/**
 * Whether a zip archive, and every zip archive in it, is one that can be looked into, unpacked within bounds, and that
 * reads the same from its start and from its directory; and whether it is of the kind that was declared. Members are inflated as they pass, and thrown away.
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
    // Whoever writes is not held up.
    passing.resume();
  }
}
