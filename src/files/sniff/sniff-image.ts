import type { Check } from './sniff-check.ts';

/** More than any camera produces; decoded, it is 200 MB. */
const MAX_PIXELS = 50_000_000;
/** The first bytes that contain the size, in all formats but JPEG. */
const HEAD_BYTES = 30;

/** Checks that the size in an image's header is not excessive ("pixel flood"). Nothing is decoded. */
export function createImageCheck(contentType: string): Check {
  const pixels = pixelsOf(contentType);
  return {
    see: (chunk) => pixels.see(chunk),
    refusal() {
      const count = pixels.count();
      if (!count) return 'type-does-not-match';
      return count > MAX_PIXELS ? 'image-too-large' : undefined;
    },
  };
}

/** Determines width times height; undefined when the bytes do not tell. */
interface Pixels {
  see(chunk: Buffer): void;
  count(): number | undefined;
}

function pixelsOf(contentType: string): Pixels {
  if (contentType === 'image/jpeg') return createJpegPixels();
  return /^image\/(heic|heif|avif)$/.test(contentType) ? createHeifPixels() : createHeadPixels(contentType);
}

/** The first bytes that contain the sizes of the pictures in a container of ISO/IEC 23008-12. */
const HEIF_HEAD_BYTES = 65_536;
const SIZE_BOX = Buffer.from('ispe');

/** Tiles and previews have boxes of their own, so the largest counts. */
function createHeifPixels(): Pixels {
  const pieces: Buffer[] = [];
  let missing = HEIF_HEAD_BYTES;
  return {
    see(chunk) {
      if (missing === 0) return;
      const piece = Buffer.from(chunk.subarray(0, missing));
      missing -= piece.length;
      pieces.push(piece);
    },
    count() {
      const head = Buffer.concat(pieces);
      let most = 0;
      for (
        let at = head.indexOf(SIZE_BOX);
        at >= 0 && at + 16 <= head.length;
        at = head.indexOf(SIZE_BOX, at + 4)
      )
        most = Math.max(most, head.readUInt32BE(at + 8) * head.readUInt32BE(at + 12));
      return most;
    },
  };
}

function createHeadPixels(contentType: string): Pixels {
  let head = Buffer.alloc(0);
  return {
    see(chunk) {
      if (head.length < HEAD_BYTES) head = Buffer.concat([head, chunk.subarray(0, HEAD_BYTES - head.length)]);
    },
    count() {
      if (head.length < HEAD_BYTES) return undefined;
      if (contentType === 'image/png') return head.readUInt32BE(16) * head.readUInt32BE(20);
      if (contentType === 'image/gif') return head.readUInt16LE(6) * head.readUInt16LE(8);
      return webpPixels(head);
    },
  };
}

/**
 * Returns the pixels of a WebP (RFC 9649): of the canvas in the extended format, or of the one frame of a
 * lossless or lossy file.
 */
function webpPixels(head: Buffer): number | undefined {
  switch (head.toString('latin1', 12, 16)) {
    case 'VP8X':
      return (head.readUIntLE(24, 3) + 1) * (head.readUIntLE(27, 3) + 1);
    case 'VP8L': {
      const bits = head.readUInt32LE(21);
      return ((bits & 0x3fff) + 1) * (((bits >>> 14) & 0x3fff) + 1);
    }
    case 'VP8 ':
      return (head.readUInt16LE(26) & 0x3fff) * (head.readUInt16LE(28) & 0x3fff);
    default:
      return undefined;
  }
}

/** Bytes of a segment up to the size of the image, if it is a frame. */
const SEGMENT_BYTES = 9;

/**
 * Reads the segments of a JPEG (ITU-T T.81, annex B), each with its length, up to the start of the frame,
 * which has the size.
 */
function createJpegPixels(): Pixels {
  let rest = Buffer.alloc(0);
  let skip = 0;
  let isOver = false;
  let count: number | undefined;

  /** Reads the segment at `at`. Returns its length. */
  function readSegment(bytes: Buffer, at: number): number {
    const code = bytes[at + 1]!;
    const isMark = bytes[at] === 0xff;
    const isFrame = isMark && code >= 0xc0 && code <= 0xcf && code !== 0xc4 && code !== 0xc8 && code !== 0xcc;
    if (isFrame) count = bytes.readUInt16BE(at + 5) * bytes.readUInt16BE(at + 7);
    isOver = !isMark || isFrame || code === 0xd9 || code === 0xda;
    if (code === 0xff) return 1;
    if (code === 0x01 || (code >= 0xd0 && code <= 0xd8)) return 2;
    return 2 + bytes.readUInt16BE(at + 2);
  }

  return {
    see(chunk) {
      if (isOver) return;
      const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
      let at = skip;
      while (!isOver && at + SEGMENT_BYTES <= bytes.length) at += readSegment(bytes, at);
      rest = Buffer.from(bytes.subarray(at));
      skip = Math.max(at - bytes.length, 0);
    },
    count: () => count,
  };
}
