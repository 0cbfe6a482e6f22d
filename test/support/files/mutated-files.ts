import { gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { gif, honestFiles, nested, pdf, zip } from './corpus.ts';
import { realFiles } from './real-files.ts';

export interface MutatedFile {
  contentType: string;
  bytes: Buffer;
}

/** Numbers that often break parsers. */
const NUMBERS = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];

/** A generator of numbers from 0 to 1, the same for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const FROM_PROGRAMS = [
  'libreoffice.doc',
  'libreoffice-hybrid.pdf',
  'excel-unicode.csv',
  'imagemagick.heic',
  'sharp.avif',
  'iwork.pages',
];

/** One valid file of each format, some with a wrong declared type. */
async function originals(): Promise<MutatedFile[]> {
  const picture = () =>
    sharp({
      create: {
        ...{ width: 120, height: 90, channels: 3, background: 'white' },
        noise: { type: 'gaussian', mean: 128, sigma: 30 },
      },
    });
  const archive = await zip({ 'a.txt': Buffer.from('text '.repeat(500)), 'b.pdf': pdf() });
  const tar = Buffer.alloc(1_536);
  tar.write('a.txt\0', 0, 'latin1');
  tar.write('ustar\x0000', 257, 'latin1');
  const made = realFiles().filter(({ name }) => FROM_PROGRAMS.includes(name));
  return [
    ...made.map(({ expected, bytes }) => ({ contentType: expected, bytes })),
    ...(await honestFiles()).filter(({ contentType }) => contentType.startsWith('application/')),
    { contentType: 'application/zip', bytes: archive },
    { contentType: 'application/zip', bytes: await nested(archive, 3, { level: 0 }) },
    { contentType: 'application/zip', bytes: gzipSync(archive) },
    { contentType: 'application/zip', bytes: tar },
    {
      contentType: 'application/zip',
      bytes: Buffer.concat([Buffer.from('7z\xbc\xaf\x27\x1c\0\x04', 'latin1'), archive]),
    },
    { contentType: 'image/png', bytes: await picture().png().toBuffer() },
    { contentType: 'image/png', bytes: await picture().png({ progressive: true, palette: true }).toBuffer() },
    { contentType: 'image/jpeg', bytes: await picture().jpeg().toBuffer() },
    { contentType: 'image/jpeg', bytes: await picture().jpeg({ progressive: true }).toBuffer() },
    { contentType: 'image/webp', bytes: await picture().webp().toBuffer() },
    { contentType: 'image/webp', bytes: await picture().webp({ lossless: true }).toBuffer() },
    { contentType: 'image/gif', bytes: await picture().gif().toBuffer() },
    { contentType: 'image/gif', bytes: gif('made by hand') },
  ];
}

/** Makes `count` files, each with up to eight changes to a valid one; the same for the same seed. */
export async function mutatedFiles(count: number, seed: number): Promise<MutatedFile[]> {
  const random = randomFrom(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const all = await originals();

  function changed(bytes: Buffer): Buffer {
    if (bytes.length < 16) return Buffer.concat([bytes, Buffer.alloc(16, below(256))]);
    const at = below(bytes.length - 8);
    const length = 1 + below(Math.min(64, bytes.length - at - 4));
    const copy = Buffer.from(bytes);
    switch (below(7)) {
      case 0:
        copy[at]! ^= 1 << below(8);
        return copy;
      case 1:
        copy.writeUInt32LE(NUMBERS[below(NUMBERS.length)]!, at);
        return copy;
      case 2:
        copy.writeUInt16BE(NUMBERS[below(NUMBERS.length)]! & 0xffff, at);
        return copy;
      case 3:
        return copy.subarray(0, at + 4);
      case 4:
        return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
      case 5:
        return Buffer.concat([
          bytes.subarray(0, at + length),
          ...Array<Buffer>(1 + below(200)).fill(bytes.subarray(at, at + length)),
          bytes.subarray(at + length),
        ]);
      default:
        return Buffer.concat([bytes.subarray(0, at), all[below(all.length)]!.bytes.subarray(below(40))]);
    }
  }

  return Array.from({ length: count }, (_, index) => {
    const { contentType, bytes } = all[index % all.length]!;
    let mutated = bytes;
    for (let changes = 1 + below(8); changes > 0; changes -= 1) mutated = changed(mutated);
    return { contentType, bytes: mutated };
  });
}
