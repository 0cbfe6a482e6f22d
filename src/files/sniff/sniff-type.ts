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

/** Office documents name their kind in one of the first members of the archive that they are. */
export const HEAD_BYTES = 65_536;

const PDF = 'application/pdf';
const PDF_MARK = Buffer.from('%PDF-');
/** Readers look for the mark of a PDF in so many first bytes (ISO 32000-1, annex H, note 13). */
const PDF_REACH = 1_024;

/** What text is, too, by its first letters, and yet a format of its own. Other magic numbers have binary bytes near. */
const WRITTEN_FORMATS = new Set([
  'application/eps',
  PDF,
  'application/postscript',
  'application/rtf',
  'application/x-ms-regedit',
  'application/xml',
]);

/** Where a PDF begins within the first bytes; -1 if nowhere. */
export const startOfPdf = (head: Buffer): number =>
  head.subarray(0, PDF_REACH + PDF_MARK.length - 1).indexOf(PDF_MARK);

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
    refusal: () => refusalOf(Buffer.concat(head), contentType),
  };
}

async function refusalOf(head: Buffer, contentType: string): Promise<SniffedReason | undefined> {
  const detected = await detect(head);
  if (isRun(head, contentType, detected) || !isAllowedType(contentType)) return 'type-not-allowed';
  return isOfType(head, contentType, detected) ? undefined : 'type-does-not-match';
}

/** Letters that programs begin with are no program where text goes on behind them. */
function isRun(head: Buffer, contentType: string, detected: string | undefined): boolean {
  if (beginsLikeMarkup(head, contentType)) return true;
  if (detected === undefined || !isProgram(detected)) return false;
  return !isTextType(contentType) || WRITTEN_FORMATS.has(detected) || !looksLikeText(head);
}

function isOfType(head: Buffer, contentType: string, detected: string | undefined): boolean {
  if (isTextType(contentType))
    return !WRITTEN_FORMATS.has(detected ?? '') && !lettersOf(head).startsWith('%PDF-');
  if (contentType === PDF && detected === undefined) return startOfPdf(head) >= 0;
  // Where the member that names the kind comes late, the whole of the archive tells.
  if (isArchiveType(contentType) && detected === 'application/zip') return true;
  return matchesType(contentType, detected);
}

/** The type of a file of which nothing is known but its first bytes; undefined when it is not one that is taken. */
export async function typeOfHead(head: Buffer): Promise<string | undefined> {
  const detected = await detect(head);
  if (detected !== undefined) return typeOfBytes(detected);
  if (startOfPdf(head) >= 0) return PDF;
  return looksLikeText(head) ? 'text/plain' : undefined;
}

/** Bytes that make the library stumble are of no type. */
async function detect(bytes: Buffer): Promise<string | undefined> {
  try {
    return (await fileTypeFromBuffer(bytes))?.mime;
  } catch {
    return undefined;
  }
}
