import { isCompoundType, isImageType } from '../inspect/content-types.ts';
import type { Check } from './sniff-check.ts';

/** The end of the directory of a zip archive in one piece (APPNOTE.TXT 4.3.16). */
export const ZIP_END = Buffer.from('PK\x05\x06\0\0\0\0', 'latin1');
/** Length of the record with the longest comment after it. Archive programs look no further back. */
export const ZIP_END_REACH = 22 + 65_535;
/** The size of the sectors of a compound file, or a divisor of it (MS-CFB 2.2). */
const SECTOR_BYTES = 512;
const LESS_THAN = 0x3c;
const MARKUP = ['<!doctype html', '<html', '<script', '<?php'].map((tag) => Buffer.from(tag));
/** Most candidates for a tag are ruled out by their second byte. */
const MAY_FOLLOW = Uint8Array.from({ length: 256 }, (_, byte) =>
  Number(MARKUP.some((tag) => tag[1] === lowerCase(byte))),
);
const SEAM = Math.max(ZIP_END.length, ...MARKUP.map((tag) => tag.length)) - 1;

/**
 * Checks that a file is not of a second type as well: a zip archive at its end, or, in an image, a page or a
 * script anywhere. An archive in the last sectors of a compound file is an embedded document; an appended one
 * ends at any offset.
 */
export function createPolyglotCheck(contentType: string): Check {
  const isImage = isImageType(contentType);
  let size = 0;
  let zipEnd = -Infinity;
  let hasMarkup = false;
  let last = Buffer.alloc(0);

  function look(bytes: Buffer, offset: number): void {
    const at = bytes.lastIndexOf(ZIP_END);
    if (at >= 0) zipEnd = offset + at;
    if (isImage && !hasMarkup) hasMarkup = containsMarkup(bytes);
  }

  return {
    see(chunk) {
      // Includes what crosses the border of two chunks.
      look(Buffer.concat([last, chunk.subarray(0, SEAM)]), size - last.length);
      look(chunk, size);
      size += chunk.length;
      last = Buffer.from(Buffer.concat([last, chunk.subarray(-SEAM)]).subarray(-SEAM));
    },
    refusal() {
      const isEmbedded = isCompoundType(contentType) && size % SECTOR_BYTES === 0;
      const isArchive = size - zipEnd <= ZIP_END_REACH && !isEmbedded;
      return hasMarkup || isArchive ? 'type-does-not-match' : undefined;
    },
  };
}

function containsMarkup(bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; at += 1)
    if (bytes[at] === LESS_THAN && MAY_FOLLOW[bytes[at + 1]!] && MARKUP.some((tag) => isAt(bytes, at, tag)))
      return true;
  return false;
}

/** Returns true if the tag is at `at`, in either case. */
function isAt(bytes: Buffer, at: number, tag: Buffer): boolean {
  for (let index = 0; index < tag.length; index += 1)
    if (lowerCase(bytes[at + index]) !== tag[index]) return false;
  return true;
}

function lowerCase(byte = 0): number {
  return byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
}
