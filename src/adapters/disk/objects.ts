import { createHash } from 'node:crypto';
import { type FileHandle, open, statfs } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { type ByteRange, ObjectChanged, StorageUnavailable, type StoredObject } from '../../files/storage.ts';
import { UploadRefused } from '../../files/upload-receiver.ts';

/**
 * An object is one file: its bytes, followed by their SHA-256. Both appear at once, and an object proves by
 * itself that it is complete. The hash is its etag.
 */
const DIGEST_BYTES = 32;
const CHUNK_BYTES = 65_536;
/** Syncs in steps of this size: syncing a whole file at the end would delay the commits of the database. */
const SYNC_EVERY_BYTES = 1_048_576;

/** Writes a new object of mode 0600 to stable storage. Throws `UploadRefused` as soon as it has too many bytes. */
export async function writeObject(
  path: string,
  bytes: AsyncIterable<Uint8Array>,
  maxSize = Infinity,
): Promise<StoredObject> {
  const hash = createHash('sha256');
  let size = 0;
  let unsynced = 0;
  const file = await open(path, 'wx', 0o600);
  try {
    for await (const chunk of bytes) {
      size += chunk.length;
      if (size > maxSize) throw new UploadRefused('wrong-size');
      hash.update(chunk);
      await file.writeFile(chunk);
      unsynced += chunk.length;
      if (unsynced < SYNC_EVERY_BYTES) continue;
      await file.datasync();
      unsynced = 0;
    }
    const digest = hash.digest();
    await file.writeFile(digest);
    await file.sync();
    return { size, etag: digest.toString('hex') };
  } finally {
    await file.close();
  }
}

/** Reads size and etag of an object from its file. Throws `StorageUnavailable` when the file is not an object. */
export async function describeObject(file: FileHandle): Promise<StoredObject> {
  const size = (await file.stat()).size - DIGEST_BYTES;
  if (size < 0) throw new StorageUnavailable('A file in the storage folder is not an object');
  const { buffer } = await file.read(Buffer.alloc(DIGEST_BYTES), 0, DIGEST_BYTES, size);
  return { size, etag: buffer.toString('hex') };
}

/**
 * Reads an open object, or a part of it; its file is closed with the stream. When the bytes of all of it do not match
 * their hash, the stream fails with `StorageUnavailable` before it delivers the last of them; a part has no hash.
 * Throws `ObjectChanged`.
 */
export async function readObject(
  file: FileHandle,
  version?: { etag: string; range?: ByteRange | undefined },
): Promise<StoredObject & { body: Readable }> {
  const { size, etag } = await describeObject(file);
  if (version && version.etag !== etag) throw new ObjectChanged();
  const range = version?.range;
  const { start, end } = range ?? { start: 0, end: size - 1 };
  const past = end + 1;
  const hash = createHash('sha256');
  let position = start;

  async function next(): Promise<Buffer | null> {
    if (position === past && past > start) return null;
    const length = Math.min(CHUNK_BYTES, past - position);
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, position);
    const chunk = buffer.subarray(0, bytesRead);
    hash.update(chunk);
    position += bytesRead;
    const isDamaged = position === past && !range ? hash.digest('hex') !== etag : bytesRead === 0;
    if (isDamaged) throw new StorageUnavailable('An object in the storage folder is damaged');
    return bytesRead === 0 ? null : chunk;
  }

  const body = new Readable({
    highWaterMark: CHUNK_BYTES,
    read() {
      next().then(
        (chunk) => this.push(chunk),
        (error: unknown) => this.destroy(error as Error),
      );
    },
    destroy(error, done) {
      file.close().then(
        () => done(error),
        (failure: unknown) => done(error ?? (failure as Error)),
      );
    },
  });
  return { size, etag, body };
}

/** Resolves with the bytes of the disk of a folder that this process may still use. */
export async function freeBytesOf(dir: string): Promise<number> {
  const { bavail, bsize } = await statfs(dir);
  return bavail * bsize;
}

/** Syncs a folder. A new name is on stable storage only when its folder is. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
