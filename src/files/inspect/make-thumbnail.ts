import { buffer } from 'node:stream/consumers';
import sharp from 'sharp';

const EDGE_PX = 320;
/** 50 megapixels. Larger images are refused earlier, so this is a second safeguard. */
const MAX_PIXELS = 50_000_000;
const DEADLINE_SECONDS = 10;
/** The loaders of libvips that may run. All others never see a byte from outside. */
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

/**
 * Resolves with a WebP of at most 320 px either way, never enlarged; undefined when the bytes are not a
 * picture, or a broken one.
 */
export async function makeThumbnail(bytes: AsyncIterable<Buffer>): Promise<Buffer | undefined> {
  const image = sharp(await buffer(bytes), { limitInputPixels: MAX_PIXELS, sequentialRead: true })
    .autoOrient()
    .resize({ width: EDGE_PX, height: EDGE_PX, fit: 'inside', withoutEnlargement: true })
    .webp()
    .timeout({ seconds: DEADLINE_SECONDS });
  return image.toBuffer().catch(() => undefined);
}
