import { fileTypeFromBuffer } from 'file-type';
import {
  isAllowedType,
  isArchiveType,
  isTextType,
  matchesType,
  typeOfBytes,
} from '../inspect/content-types.ts';
import { isProgram } from '../inspect/programs.ts';
import type { Check, SniffedReason } from './sniff-check.ts';
import { beginsLikeMarkup, lettersOf, looksLikeText } from './sniff-text.ts';

/** Size of the head. Office documents name their kind in one of the first members of their archive. */
export const HEAD_BYTES = 65_536;

const PDF = 'application/pdf';
const PDF_MARK = Buffer.from('%PDF-');
/** Readers look for the mark of a PDF within this many bytes (ISO 32000-1, annex H, note 13). */
const PDF_REACH = 1_024;

/** Formats of their own whose first bytes are text. Other magic numbers have binary bytes nearby. */
const WRITTEN_FORMATS = new Set([
  'application/eps',
  PDF,
  'application/postscript',
  'application/rtf',
  'application/x-ms-regedit',
  'application/xml',
]);

/** Returns the offset of a PDF within the first bytes; -1 if there is none. */
export const startOfPdf = (head: Buffer): number =>
  head.subarray(0, PDF_REACH + PDF_MARK.length - 1).indexOf(PDF_MARK);

/** Checks that the first bytes are of the declared type. */
export function createTypeCheck(contentType: string): Check {
  const head: Buffer[] = [];
  let missing = HEAD_BYTES;
  return {
    see(chunk) {
      if (missing === 0) return;
      // A copy, because the chunk may be part of a larger one.
      const piece = Buffer.from(chunk.subarray(0, missing));
      missing -= piece.length;
      head.push(piece);
    },
    refusal: () => refusalOf(Buffer.concat(head), contentType),
  };
}

async function refusalOf(head: Buffer, contentType: string): Promise<SniffedReason | undefined> {
  const detected = await detect(head);
  if (isRun(head, contentType, detected) || !isAllowedType(contentType)) return 'type-not-allowed';
  return isOfType(head, contentType, detected) ? undefined : 'type-does-not-match';
}

/** Returns true for a program or page. Letters that start a program do not count where text follows them. */
function isRun(head: Buffer, contentType: string, detected: string | undefined): boolean {
  if (beginsLikeMarkup(head, contentType)) return true;
  if (detected === undefined || !isProgram(detected)) return false;
  return !isTextType(contentType) || WRITTEN_FORMATS.has(detected) || !looksLikeText(head);
}

function isOfType(head: Buffer, contentType: string, detected: string | undefined): boolean {
  if (isTextType(contentType))
    return !WRITTEN_FORMATS.has(detected ?? '') && !lettersOf(head).startsWith('%PDF-');
  if (contentType === PDF && detected === undefined) return startOfPdf(head) >= 0;
  // If the member that names the kind comes late, the check of the whole archive decides.
  if (isArchiveType(contentType) && detected === 'application/zip') return true;
  return matchesType(contentType, detected);
}

/**
 * Resolves with the type of a file of which only the first bytes are known; undefined when it is not an
 * accepted one.
 */
export async function typeOfHead(head: Buffer): Promise<string | undefined> {
  const detected = await detect(head);
  if (detected !== undefined) return typeOfBytes(detected);
  if (startOfPdf(head) >= 0) return PDF;
  return looksLikeText(head) ? 'text/plain' : undefined;
}

/** Resolves with undefined for bytes that the library fails on. */
async function detect(bytes: Buffer): Promise<string | undefined> {
  try {
    return (await fileTypeFromBuffer(bytes))?.mime;
  } catch {
    return undefined;
  }
}
