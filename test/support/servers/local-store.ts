import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { createSignedLinks } from '../../../src/auth/tokens/signed-links.ts';
import type { FileId } from '../../../src/events/ids.ts';
import { type StorageFolder, storageKey } from '../../../src/files/storage.ts';
import { createLocalStorage } from '../../../src/adapters/disk/storage.ts';

/** The real file store in a folder of its own, with helpers for tests. */
export async function localStore() {
  const dir = await mkdtemp(join(tmpdir(), 'files-'));
  const storage = await createLocalStorage({ dir, links: createSignedLinks(() => [Buffer.alloc(32, 1)]) });
  return {
    dir,
    storage,
    /** Puts bytes into quarantine like an upload. Returns their etag. */
    async arrive(fileId: FileId, bytes: Uint8Array, contentType = 'application/pdf'): Promise<string> {
      const permit = { fileId, contentType, size: bytes.length, sha256: null };
      return (await storage.receive(permit, Readable.from([bytes]))).etag;
    },
    /** Returns the folders in which the file has an object. */
    async foldersOf(fileId: FileId): Promise<StorageFolder[]> {
      const folders: StorageFolder[] = ['quarantine', 'clean', 'thumbnails'];
      const found = await Promise.all(folders.map((folder) => storage.stat(storageKey(folder, fileId))));
      return folders.filter((_, index) => found[index]);
    },
    async bytesOf(folder: StorageFolder, fileId: FileId): Promise<Buffer> {
      return buffer((await storage.read(storageKey(folder, fileId))).body);
    },
    remove: () => rm(dir, { recursive: true }),
  };
}
