import type { Readable } from 'node:stream';
import sharp from 'sharp';
import type { MakeThumbnail } from './settle.ts';

const EDGE_PX = 320;
/** 50 megapixels; more is refused before, so this is the second lock on the door. */
const MAX_PIXELS = 50_000_000;
/** The image is held in memory while it is made smaller. */
const MAX_BYTES = 67_108_864;
const DEADLINE_SECONDS = 10;
/** The loaders of libvips that may run: everything else in it never sees a byte from outside. */
const LOADERS = [
  'VipsForeignLoadJpegBuffer',
  'VipsForeignLoadPngBuffer',
  'VipsForeignLoadWebpBuffer',
  'VipsForeignLoadNsgifBuffer',
];

/**
 * Makes thumbnails as WebP, at most 320 px either way and never enlarged, one at a time: pictures are large once they
 * are unpacked. A broken picture has none; only a failure to read is an error, which is rejected with.
 */
export function createThumbnails(): MakeThumbnail {
  sharp.cache(false);
  sharp.concurrency(1);
  sharp.block({ operation: ['VipsForeignLoad'] });
  sharp.unblock({ operation: LOADERS });
  let last: Promise<unknown> = Promise.resolve();

  return (open) => {
    const next = last.then(async () => {
      const bytes = await readAll(await open());
      return bytes && shrink(bytes).catch(() => undefined);
    });
    last = next.catch(() => undefined);
    return next;
  };
}

const shrink = (bytes: Buffer): Promise<Buffer> =>
  sharp(bytes, { limitInputPixels: MAX_PIXELS, sequentialRead: true })
    .autoOrient()
    .resize({ width: EDGE_PX, height: EDGE_PX, fit: 'inside', withoutEnlargement: true })
    .webp()
    .timeout({ seconds: DEADLINE_SECONDS })
    .toBuffer();

async function readAll({ size, body }: { size: number; body: Readable }): Promise<Buffer | undefined> {
  if (size > MAX_BYTES) {
    body.destroy();
    return undefined;
  }
  const bytes = Buffer.allocUnsafe(size);
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) length += chunk.copy(bytes, length);
  return bytes.subarray(0, length);
}
