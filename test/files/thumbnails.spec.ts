import { Readable } from 'node:stream';
import sharp from 'sharp';
import { createThumbnails } from '../../src/files/thumbnails.ts';
import { createProcessSandbox } from '../../src/adapters/os/sandbox.ts';

const sandbox = createProcessSandbox();
afterAll(() => sandbox.close());
const makeThumbnail = createThumbnails(sandbox);
const thumbnailOf = (bytes: Uint8Array) =>
  makeThumbnail(async () => ({ size: bytes.length, body: Readable.from([bytes]) }));
const canvas = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: '#1080c0' } });

describe('thumbnails', () => {
  test.each(['jpeg', 'png', 'webp', 'gif'] as const)('turn a large %s into a small WebP', async (format) => {
    const thumbnail = await thumbnailOf(await canvas(1600, 800).toFormat(format).toBuffer());
    const { format: made, width, height } = await sharp(thumbnail).metadata();
    expect({ made, width, height }).toEqual({ made: 'webp', width: 320, height: 160 });
  });

  test('do not enlarge a small picture', async () => {
    const thumbnail = await thumbnailOf(await canvas(40, 30).png().toBuffer());
    expect(await sharp(thumbnail).metadata()).toMatchObject({ width: 40, height: 30 });
  });

  test('rotate a picture taken sideways, and drop its location', async () => {
    const sideways = await canvas(600, 300)
      .jpeg()
      .withExif({ IFD0: { Orientation: '6' }, IFD3: { GPSLatitudeRef: 'N' } })
      .withMetadata({ orientation: 6 })
      .toBuffer();
    const { width, height, exif } = await sharp(await thumbnailOf(sideways)).metadata();
    expect({ width, height, exif }).toEqual({ width: 160, height: 320, exif: undefined });
  });

  test('are not made of a broken picture', async () => {
    const whole = await sharp({
      create: {
        width: 300,
        height: 300,
        channels: 3,
        background: 'white',
        noise: { type: 'gaussian', mean: 128, sigma: 30 },
      },
    })
      .png()
      .toBuffer();
    expect(await thumbnailOf(whole.subarray(0, whole.length / 4))).toBeUndefined();
    expect(await thumbnailOf(Buffer.from('no picture at all'))).toBeUndefined();
  });

  test('never decode an SVG, a TIFF or an AVIF, whatever its declared type', async () => {
    const svg = Buffer.from(
      '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>',
    );
    expect(await thumbnailOf(svg)).toBeUndefined();
    for (const format of ['tiff', 'avif'] as const)
      expect(await thumbnailOf(await canvas(64, 64).toFormat(format).toBuffer())).toBeUndefined();
  });

  test('are not made of more than 50 megapixels', async () => {
    const flood = await canvas(8_000, 6_300).png({ compressionLevel: 9 }).toBuffer();
    expect(flood.length).toBeLessThan(1_000_000);
    expect(await thumbnailOf(flood)).toBeUndefined();
  });

  test('are skipped, without an error, when a picture takes too much processor time', async () => {
    const hurried = createProcessSandbox({ limits: { cpuSeconds: 1 } });
    const noise = { type: 'gaussian', mean: 128, sigma: 30 } as const;
    const create = { width: 7_000, height: 7_000, channels: 3, background: 'white', noise } as const;
    const bytes = await sharp({ create }).png({ compressionLevel: 1 }).toBuffer();
    try {
      const open = async () => ({ size: bytes.length, body: Readable.from([bytes]) });
      expect(await createThumbnails(hurried)(open)).toBeUndefined();
    } finally {
      hurried.close();
    }
  });

  test('fail on unreadable bytes, without effect on the next picture', async () => {
    const broken = makeThumbnail(async () => {
      throw new Error('storage is down');
    });
    const next = thumbnailOf(await canvas(400, 400).png().toBuffer());
    await expect(broken).rejects.toThrow('storage is down');
    expect(await sharp(await next).metadata()).toMatchObject({ width: 320, height: 320 });
  });
});
