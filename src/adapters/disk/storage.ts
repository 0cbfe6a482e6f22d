import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { SignedLinks } from '../../auth/tokens/signed-links.ts';
import type { FileId } from '../../events/ids.ts';
import {
  type ByteRange,
  type FileStorage,
  ObjectChanged,
  StorageFull,
  type StorageFolder,
  type StorageKey,
  StorageUnavailable,
  UPLOAD_SECONDS,
  storageKey,
} from '../../files/storage.ts';
import { type UploadReceiver, UploadRefused } from '../../files/upload-receiver.ts';
import { describeObject, freeBytesOf, readObject, syncFolder, writeObject } from './objects.ts';
import { type Throttle, createThrottle } from '../../kit/throttle.ts';
import { within } from '../../kit/deadline.ts';

const FOLDERS: readonly StorageFolder[] = ['quarantine', 'clean', 'thumbnails'];
/** The folder where objects are made before they are published. Leftovers of a crash belong to no object. */
const INCOMING = 'incoming';
const PROBE_MS = 2_000;
/**
 * Limit for all uploads together, because this process has other work. Separate storage is limited by its
 * network only.
 */
const UPLOADED_PER_SECOND = 32 * 1_048_576;

/**
 * Creates storage in a folder of this machine, which is made when missing (0700, files 0600). Uploads come to
 * this server by URLs that `links` signs. Whole nodes may share the folder; no other program may write to it.
 * No upload leaves less than `minFreeBytes` of the disk free.
 */
export async function createLocalStorage({
  dir,
  links,
  minFreeBytes = 0,
  freeBytes = freeBytesOf,
  pace = createThrottle(UPLOADED_PER_SECOND),
  now = Date.now,
}: {
  dir: string;
  links: SignedLinks;
  minFreeBytes?: number;
  /** Resolves with the free bytes of the folder's disk. */
  freeBytes?: (dir: string) => Promise<number>;
  /** Waits until `amount` bytes of uploads may be accepted. */
  pace?: Throttle;
  now?: () => number;
}): Promise<FileStorage & UploadReceiver> {
  const pathOf = (key: StorageKey) => join(dir, key);
  const incoming = join(dir, INCOMING);
  /** The transfers, one for each file, so that one permit cannot fill the disk. */
  const transfers = new Map<FileId, { body: Readable; size: number }>();

  for (const folder of [...FOLDERS, INCOMING])
    await mkdir(join(dir, folder), { recursive: true, mode: 0o700 });
  // Younger ones may belong to another node; removeOlderThan removes the leftovers among them.
  await removeFiles(incoming, new Date(now() - 2 * UPLOAD_SECONDS * 1_000));

  async function requireRoom(size: number): Promise<void> {
    const arriving = transfers.values().reduce((sum, transfer) => sum + transfer.size, size);
    if ((await freeBytes(dir)) - arriving < minFreeBytes)
      throw new StorageFull('The disk of the storage folder has too little room');
  }

  /** Writes an object aside, then publishes it under its name, so that no reader sees half of one. */
  async function store(
    key: StorageKey,
    write: (path: string) => ReturnType<typeof writeObject>,
    publish: (from: string, to: string) => Promise<void>,
  ) {
    const aside = join(incoming, randomUUID());
    try {
      const stored = await write(aside);
      await publish(aside, pathOf(key));
      await syncFolder(join(pathOf(key), '..'));
      return stored;
    } finally {
      await rm(aside, { force: true });
    }
  }

  async function openObject(key: StorageKey) {
    try {
      return await open(pathOf(key), 'r');
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async function statObject(key: StorageKey) {
    const file = await openObject(key);
    if (!file) return undefined;
    try {
      return await describeObject(file);
    } finally {
      await file.close();
    }
  }

  async function read(key: StorageKey, version?: { etag: string; range?: ByteRange | undefined }) {
    const file = await openObject(key);
    if (!file) throw new ObjectChanged();
    try {
      return await readObject(file, version);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  return {
    async presignUpload({ fileId, contentType, size, sha256, origin }) {
      const expiresAt = now() + UPLOAD_SECONDS * 1_000;
      const fields = { fileId, contentType, size: String(size), ...(sha256 !== null && { sha256 }) };
      return {
        method: 'PUT',
        url: `${origin}/v1/storage/quarantine/${fileId}?token=${links.sign('upload', fields, expiresAt)}`,
        headers: { 'content-type': contentType, 'if-none-match': '*' },
        expiresAt: new Date(expiresAt).toISOString(),
      };
    },

    permit(fileId, token) {
      const fields = links.open('upload', token);
      if (fields?.['fileId'] !== fileId) return undefined;
      const { contentType = '', size, sha256 = null } = fields;
      return { fileId, contentType, size: Number(size), sha256 };
    },

    receive: ({ fileId, size, sha256 }, body) =>
      orUnavailable(async () => {
        const key = storageKey('quarantine', fileId);
        if (await statObject(key)) throw new UploadRefused('exists');
        transfers.get(fileId)?.body.destroy();
        transfers.delete(fileId);
        await requireRoom(size);
        const transfer = { body, size };
        transfers.set(fileId, transfer);
        const write = async (path: string) => {
          const stored = await writeObject(path, received(body, pace), size);
          if (stored.size !== size) throw new UploadRefused('wrong-size');
          if (sha256 !== null && stored.etag !== sha256) throw new UploadRefused('wrong-sha256');
          return stored;
        };
        return store(key, write, linkOnce).finally(() => {
          if (transfers.get(fileId) === transfer) transfers.delete(fileId);
        });
      }),

    requireRoom: (size) => orUnavailable(() => requireRoom(size)),

    seal: (fileId) => orUnavailable(() => statObject(storageKey('quarantine', fileId))),
    stat: (key) => orUnavailable(() => statObject(key)),

    read: (key, version) => orUnavailable(() => read(key, version)),

    copy: (from, to, version) =>
      orUnavailable(async () => {
        const { body } = await read(from, version);
        await store(to, (path) => writeObject(path, body), rename);
      }),

    put: (key, bytes) =>
      orUnavailable(async () => {
        await store(key, (path) => writeObject(path, Readable.from([bytes])), rename);
      }),

    remove: (keys) =>
      orUnavailable(async () => {
        for (const key of keys) await rm(pathOf(key), { force: true });
      }),

    removeOlderThan: (folder, before) =>
      orUnavailable(async () => {
        if (folder === 'quarantine') await removeFiles(incoming, before);
        return removeFiles(join(dir, folder), before);
      }),

    async failure() {
      const probe = async () => {
        const path = join(incoming, randomUUID());
        await (await open(path, 'wx', 0o600)).close();
        await rm(path);
        return (await freeBytes(dir)) < minFreeBytes
          ? 'the disk of the storage folder is nearly full'
          : undefined;
      };
      const broken = probe().catch(
        (error: NodeJS.ErrnoException) => `the storage folder cannot be written to: ${error.code}`,
      );
      return within<string | undefined>(broken, PROBE_MS, () => 'the storage folder does not answer');
    },
  };
}

/**
 * Yields the chunks of a client's body, and leaves it open when it is not read to its end. Throws
 * `UploadRefused` when the client disconnects.
 */
async function* received(body: Readable, pace: Throttle): AsyncIterable<Uint8Array> {
  const chunks = body.iterator({ destroyOnReturn: false });
  try {
    for await (const chunk of chunks as AsyncIterable<Uint8Array>) {
      await pace(chunk.length);
      yield chunk;
    }
  } catch (error) {
    throw new UploadRefused('broken-off', { cause: error });
  }
}

/** Gives a file a second name unless that is taken (link(2)), so one of two attempts is refused. */
async function linkOnce(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'EEXIST' ? new UploadRefused('exists') : error;
  }
}

async function removeFiles(folder: string, before: Date): Promise<number> {
  let removed = 0;
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const found = await stat(path).catch(() => undefined);
    if (!found || found.mtime >= before) continue;
    await rm(path, { force: true });
    removed += 1;
  }
  return removed;
}

const NO_ROOM = new Set(['ENOSPC', 'EDQUOT']);

const isMissing = (error: unknown) => (error as NodeJS.ErrnoException).code === 'ENOENT';

/** Runs `work`, and turns errors of the file system into `StorageFull` or `StorageUnavailable`. */
async function orUnavailable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const isOurs =
      error instanceof UploadRefused || error instanceof ObjectChanged || error instanceof StorageUnavailable;
    if (isOurs) throw error;
    if (NO_ROOM.has((error as NodeJS.ErrnoException).code ?? ''))
      throw new StorageFull('The disk of the storage folder is full', { cause: error });
    throw new StorageUnavailable('The storage folder failed', { cause: error });
  }
}
