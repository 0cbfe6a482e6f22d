import { isCompoundType } from '../inspect/content-types.ts';
import type { Check, SniffedReason } from './sniff-check.ts';

/** Names in the directory of a compound file (MS-CFB 2.6.1), whose entries lie at multiples of 128 bytes. */
const NAMES = [
  'WordDocument',
  'Workbook',
  'Book',
  'PowerPoint Document',
  'EncryptedPackage',
  '_VBA_PROJECT',
] as const;
type Name = (typeof NAMES)[number];
const ENTRY_BYTES = 128;

const patterns = NAMES.map((name) => [name, Buffer.from(`${name}\0`, 'utf16le')] as const);
const SEAM = Math.max(...patterns.map(([, pattern]) => pattern.length)) - 1;
const SIGNATURE = Buffer.from('d0cf11e0a1b11ae1', 'hex');

/** The streams that each program reads; one of them must exist. */
const READ: Record<string, readonly Name[]> = {
  'application/msword': ['WordDocument'],
  'application/vnd.ms-excel': ['Workbook', 'Book'],
  'application/vnd.ms-powerpoint': ['PowerPoint Document'],
};

/**
 * Checks that a compound file is the declared document, without macros. An Office Open XML document that is a
 * compound file is encrypted.
 */
export function createCompoundCheck(contentType: string): Check {
  const found = new Set<Name>();
  let isCompound: boolean | undefined;
  let last: Buffer = Buffer.alloc(0);
  let size = 0;

  function look(bytes: Buffer, offset: number): void {
    for (const [name, pattern] of patterns) {
      if (found.has(name)) continue;
      let at = bytes.indexOf(pattern);
      while (at >= 0 && (offset + at) % ENTRY_BYTES !== 0) at = bytes.indexOf(pattern, at + 2);
      if (at >= 0) found.add(name);
    }
  }

  function refusal(): SniffedReason | undefined {
    if (!isCompound) return undefined;
    if (found.has('EncryptedPackage')) return 'encrypted';
    if (found.has('_VBA_PROJECT')) return 'type-not-allowed';
    const read = READ[contentType];
    return isCompoundType(contentType) && !read?.some((name) => found.has(name))
      ? 'type-does-not-match'
      : undefined;
  }

  return {
    see(chunk) {
      if (isCompound === false) return;
      const bytes = Buffer.concat([last, chunk]);
      if (isCompound === undefined && bytes.length >= SIGNATURE.length)
        isCompound = bytes.subarray(0, SIGNATURE.length).equals(SIGNATURE);
      look(bytes, size - last.length);
      size += chunk.length;
      last = bytes.subarray(-SEAM);
    },
    refusal,
  };
}
