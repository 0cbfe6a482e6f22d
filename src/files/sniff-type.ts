import { fileTypeFromBuffer } from 'file-type';
import { isTextType, matchesType } from './content-types.ts';
import type { Check } from './sniff-check.ts';
import { beginsLikeMarkup } from './sniff-text.ts';

/** Office documents name their kind in one of the first members of the archive that they are. */
const HEAD_BYTES = 65_536;

/** What text is, too, by its first letters, and yet a format of its own. Other magic numbers have binary bytes near. */
const WRITTEN_FORMATS = new Set([
  'application/eps',
  'application/pdf',
  'application/postscript',
  'application/rtf',
  'application/x-ms-regedit',
  'application/xml',
]);

/** Whether the first bytes are of the type that was declared. */
export function createTypeCheck(contentType: string): Check {
  const head: Buffer[] = [];
  let missing = HEAD_BYTES;
  return {
    see(chunk) {
      if (missing === 0) return;
      // A copy, for the chunk may be part of a larger one.
      const piece = Buffer.from(chunk.subarray(0, missing));
      missing -= piece.length;
      head.push(piece);
    },
    async refusal() {
      const bytes = Buffer.concat(head);
      const detected = await typeOf(bytes);
      const isRight = isTextType(contentType)
        ? !WRITTEN_FORMATS.has(detected ?? '') && !beginsLikeMarkup(bytes, contentType)
        : matchesType(contentType, detected);
      return isRight ? undefined : 'type-does-not-match';
    },
  };
}

/** Bytes that make the library stumble are of no type. */
async function typeOf(bytes: Buffer): Promise<string | undefined> {
  try {
    return (await fileTypeFromBuffer(bytes))?.mime;
  } catch {
    return undefined;
  }
}
