import { Readable } from 'node:stream';
import { StorageUnavailable } from '../../files/storage.ts';

/**
 * The body of an answer, as it is read. When it is cut short, too long, silent for `idleMs` or does not match the
 * checksum that `source` looks at, it fails with `StorageUnavailable` instead of giving its last part: nobody who
 * counts bytes takes it for whole.
 */
export function wholeBody(source: Readable, limits: { size: number; idleMs: number }): Readable {
  const body = Readable.from(checked(source, limits), { objectMode: false });
  // Also when nobody has begun to read, where the generator would not hear of it.
  body.once('close', () => source.on('error', () => {}).destroy());
  return body;
}

async function* checked(source: Readable, { size, idleMs }: { size: number; idleMs: number }) {
  let received = 0;
  let last: Buffer | undefined;
  // It runs only while we wait for storage: a reader may take its time.
  const awaited = () => setTimeout(() => source.destroy(new Error(`silent for ${idleMs} ms`)), idleMs);
  let silence = awaited();
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      clearTimeout(silence);
      received += chunk.length;
      if (last) yield last;
      last = chunk;
      silence = awaited();
    }
  } catch (error) {
    throw new StorageUnavailable('S3 broke off an answer', { cause: error });
  } finally {
    clearTimeout(silence);
  }
  if (received !== size) throw new StorageUnavailable(`S3 answered with ${received} of ${size} bytes`);
  if (last) yield last;
}
