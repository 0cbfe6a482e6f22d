import { Readable } from 'node:stream';
import { StorageUnavailable } from '../../files/storage.ts';

/**
 * Returns the body of an answer, as it is read. When it is cut short, too long, silent for `idleMs`
 * milliseconds or does not match the checksum that `source` verifies, it fails with `StorageUnavailable`
 * before its last part: a reader that counts bytes cannot take it for complete.
 */
export function wholeBody(source: Readable, limits: { size: number; idleMs: number }): Readable {
  const body = Readable.from(checked(source, limits), { objectMode: false });
  // Also covers a body that was never read, whose generator has not started.
  body.once('close', () => source.on('error', () => {}).destroy());
  return body;
}

async function* checked(source: Readable, { size, idleMs }: { size: number; idleMs: number }) {
  let received = 0;
  let last: Buffer | undefined;
  // It runs only while waiting for storage: a slow reader is allowed.
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
