import { buffer } from 'node:stream/consumers';
import sharp from 'sharp';

const EDGE_PX = 320;
/** 50 megapixels; more is refused before, so this is the second lock on the door. */
const MAX_PIXELS = 50_000_000;
const DEADLINE_SECONDS = 10;
/** The loaders of libvips that may run: everything else in it never sees a byte from outside. */
const LOADERS = [
  'VipsForeignLoadJpegBuffer',
  'VipsForeignLoadPngBuffer',
  'VipsForeignLoadWebpBuffer',
  'VipsForeignLoadNsgifBuffer',
];

sharp.cache(false);
sharp.concurrency(1);
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({ operation: LOADERS });

/** A WebP of at most 320 px either way, never enlarged; undefined when the bytes are no picture, or a broken one. */
export async function makeThumbnail(bytes: AsyncIterable<Buffer>): Promise<Buffer | undefined> {
  const image = sharp(await buffer(bytes), { limitInputPixels: MAX_PIXELS, sequentialRead: true })
    .autoOrient()
    .resize({ width: EDGE_PX, height: EDGE_PX, fit: 'inside', withoutEnlargement: true })
    .webp()
    .timeout({ seconds: DEADLINE_SECONDS });
  return image.toBuffer().catch(() => undefined);
}
