import type { Check } from './sniff-check.ts';
import { ZIP_END, ZIP_END_REACH } from './sniff-polyglot.ts';
import { startOfPdf } from './sniff-type.ts';

/** The start of a zip archive that is a stream of its own, with the line break before the stream's data. */
const ARCHIVE_IN_STREAM = Buffer.from('\nPK\x03\x04', 'latin1');
const STREAM = /stream\r?$/;
const SEAM = 'stream\r'.length + ARCHIVE_IN_STREAM.length;
/** Size of the head. It contains the first object of a linearized file, which has the length of the file. */
const HEAD_BYTES = 2_048;
/** Number of attached archives remembered, the last ones: only the last can be the one at the end. */
const MAX_STARTS = 16;

/**
 * Checks that a PDF is not also a zip archive. Archive programs search the end of a file for an archive. A PDF
 * may contain an attached archive near its end; LibreOffice, for example, attaches the source document. An
 * archive is part of the PDF if it begins and ends with a stream and is followed by the cross-reference table.
 * Otherwise it was appended.
 */
export function createPdfCheck(): Check {
  let head: Buffer = Buffer.alloc(0);
  let tail: Buffer = Buffer.alloc(0);
  let size = 0;
  const starts: number[] = [];

  function findStarts(bytes: Buffer, seen: number, offset: number): void {
    let at = bytes.indexOf(ARCHIVE_IN_STREAM, Math.max(0, seen - ARCHIVE_IN_STREAM.length + 1));
    for (; at >= 0; at = bytes.indexOf(ARCHIVE_IN_STREAM, at + 1)) {
      if (!STREAM.test(bytes.toString('latin1', Math.max(0, at - SEAM), at))) continue;
      starts.push(offset + at + 1);
      if (starts.length > MAX_STARTS) starts.shift();
    }
  }

  return {
    see(chunk) {
      if (head.length < HEAD_BYTES) head = Buffer.concat([head, chunk.subarray(0, HEAD_BYTES - head.length)]);
      // Includes what crosses the border of two chunks.
      const before = tail.subarray(-2 * SEAM);
      findStarts(Buffer.concat([before, chunk]), before.length, size - before.length);
      size += chunk.length;
      tail = Buffer.from(Buffer.concat([tail, chunk.subarray(-ZIP_END_REACH)]).subarray(-ZIP_END_REACH));
    },
    refusal() {
      const at = tail.lastIndexOf(ZIP_END);
      if (at < 0) return undefined;
      const offset = size - tail.length;
      const isOwn = isStream(tail, at, offset, starts) && hasTableBehind(tail, at, offset, { head, size });
      return isOwn ? undefined : 'type-does-not-match';
    },
  };
}

/** Returns true if the archive whose end is at `at` fills a stream. */
function isStream(tail: Buffer, at: number, offset: number, starts: readonly number[]): boolean {
  if (at + 22 > tail.length) return false;
  const start = offset + at - tail.readUInt32LE(at + 12) - tail.readUInt32LE(at + 16);
  const end = at + 22 + tail.readUInt16LE(at + 20);
  return starts.includes(start) && /^\s{0,2}endstream/.test(tail.toString('latin1', end, end + 11));
}

/**
 * Returns true if the file ends with the position of a table that lies behind the archive; in a linearized
 * file it lies at the start.
 */
function hasTableBehind(
  tail: Buffer,
  at: number,
  offset: number,
  { head, size }: { head: Buffer; size: number },
): boolean {
  const place = /startxref\s+(\d{1,12})\s+%%EOF\s*$/.exec(
    tail.toString('latin1', Math.max(0, tail.length - 1_024)),
  );
  if (!place) return false;
  const start = Math.max(0, startOfPdf(head));
  const table = Number(place[1]);
  const isThere = (from: number) =>
    from > at && /^\s*(xref|\d+\s+\d+\s+obj)/.test(tail.toString('latin1', from, from + 32));
  if (isThere(table - offset) || isThere(table + start - offset)) return true;
  const linearized = /\/Linearized\b[^>]*\/L\s+(\d+)/.exec(head.toString('latin1'));
  return linearized !== null && Number(linearized[1]) + start === size && table < head.length;
}
