import type { Readable } from 'node:stream';
import type { FileId } from '../events/ids.ts';

/** The folders of objects. Only cleared files are ever in `clean/` or `thumbnails/`. */
export type StorageFolder = 'quarantine' | 'clean' | 'thumbnails';
/** Made by the server alone, never from a client's input. */
export type StorageKey = `${StorageFolder}/${FileId}`;

export const storageKey = (folder: StorageFolder, fileId: FileId): StorageKey => `${folder}/${fileId}`;

/** The upload request of the client: exactly this method and these headers to this URL, until it expires. */
export interface UploadTarget {
  method: 'PUT';
  url: string;
  headers: Record<string, string>;
  /** RFC 3339, UTC, milliseconds. */
  expiresAt: string;
}

export interface StoredObject {
  size: number;
  /** Identifies this version of the bytes. Other bytes under the same key have another etag. */
  etag: string;
}

/** A part of an object: the bytes from `start` to `end`, counted from 0, both of them included. */
export interface ByteRange {
  start: number;
  end: number;
}

/** Storage cannot be reached, or answered with an error. The call may be repeated. */
export class StorageUnavailable extends Error {
  override readonly name: string = 'StorageUnavailable';
}

/** Too little room is left for more files. The rest of the server is not affected. */
export class StorageFull extends StorageUnavailable {
  override readonly name = 'StorageFull';
}

/** The object does not exist, or no longer in that version. */
export class ObjectChanged extends Error {
  override readonly name = 'ObjectChanged';
}

/** Validity of the URL of an upload. */
export const UPLOAD_SECONDS = 300;

/**
 * The port of the stored bytes. One contract suite (test/files/storage-contract.ts) runs against every
 * adapter. Every call rejects with `StorageUnavailable` when storage fails; `copy` and `read` also with
 * `ObjectChanged`.
 */
export interface FileStorage {
  /**
   * Resolves with a URL that takes exactly `size` bytes of that type (and that SHA-256, in hexadecimal).
   * Quarantine takes them once; where storage cannot enforce that, the bytes go elsewhere, and `seal` moves
   * them.
   */
  presignUpload(upload: {
    fileId: FileId;
    contentType: string;
    size: number;
    sha256: string | null;
    /** Scheme, host and port by which the client reached this server. */
    origin: string;
  }): Promise<UploadTarget>;
  /** Rejects with `StorageFull` when `size` bytes do not fit. */
  requireRoom(size: number): Promise<void>;
  /**
   * Moves the upload out of reach of its URL, where that could replace it. Resolves with the object that is
   * in quarantine from then on; undefined when nothing was uploaded.
   */
  seal(fileId: FileId): Promise<StoredObject | undefined>;
  /** Resolves with the current object; undefined when there is none. */
  stat(key: StorageKey): Promise<StoredObject | undefined>;
  /**
   * Resolves with an object and its bytes, or those of one part of that version, as a stream that holds little of them
   * in memory. Destroying it ends the transfer.
   */
  read(
    key: StorageKey,
    version?: { etag: string; range?: ByteRange | undefined },
  ): Promise<StoredObject & { body: Readable }>;
  /** Copies that version and no other. Replaces what is there. */
  copy(from: StorageKey, to: StorageKey, version: { etag: string }): Promise<void>;
  /** Stores small objects made by the server, such as thumbnails. Replaces what is there. */
  put(key: StorageKey, bytes: Uint8Array, contentType: string): Promise<void>;
  /** Removes objects. A missing object is not an error. */
  remove(keys: readonly StorageKey[]): Promise<void>;
  /** Removes the objects that were stored in a folder before then. Resolves with their number. */
  removeOlderThan(folder: StorageFolder, before: Date): Promise<number>;
  /** Resolves with the reason why storage does not work now; undefined when it works. Takes at most 2 s. */
  failure(): Promise<string | undefined>;
}
