import type { Readable } from 'node:stream';
import type { FileId } from '../events/ids.ts';

/** Where objects live. Only what was cleared is ever in `clean/` or `thumbnails/`. */
export type StorageFolder = 'quarantine' | 'clean' | 'thumbnails';
/** Made by the server alone, never from what a client says. */
export type StorageKey = `${StorageFolder}/${FileId}`;

export const storageKey = (folder: StorageFolder, fileId: FileId): StorageKey => `${folder}/${fileId}`;

/** How the client sends the bytes: exactly this method and these headers to this URL, until it expires. */
export interface UploadTarget {
  method: 'PUT';
  url: string;
  headers: Record<string, string>;
  /** RFC 3339, UTC, milliseconds. */
  expiresAt: string;
}

export interface StoredObject {
  size: number;
  /** Names this version of the bytes: other bytes under the same key have another. */
  etag: string;
}

/** Storage cannot be reached, or did not answer as it should; what was asked may be asked again. */
export class StorageUnavailable extends Error {
  override readonly name: string = 'StorageUnavailable';
}

/** There is too little room left for more files; what else the server does goes on. */
export class StorageFull extends StorageUnavailable {
  override readonly name = 'StorageFull';
}

/** The object is not there, or no longer in the version that was asked for. */
export class ObjectChanged extends Error {
  override readonly name = 'ObjectChanged';
}

/** How long an upload's URL holds. */
export const UPLOAD_SECONDS = 300;

/**
 * The port of the bytes. One contract suite (test/files/storage-contract.ts) runs against every adapter. Every call
 * rejects with `StorageUnavailable` when storage fails; `copy` and `read` with `ObjectChanged`.
 */
export interface FileStorage {
  /**
   * A URL that takes exactly `size` bytes of that type (and that SHA-256, in hexadecimal). Into quarantine it takes them
   * once; where storage cannot see to that, it takes them elsewhere, and `seal` moves them.
   */
  presignUpload(upload: {
    fileId: FileId;
    contentType: string;
    size: number;
    sha256: string | null;
    /** Scheme, host and port by which the client reached this server. */
    origin: string;
  }): Promise<UploadTarget>;
  /** Rejects with `StorageFull` when so many bytes do not fit. */
  requireRoom(size: number): Promise<void>;
  /**
   * Puts what was uploaded beyond the reach of its URL, where that could replace it; answers with what is in quarantine from
   * then on, undefined while nothing was uploaded.
   */
  seal(fileId: FileId): Promise<StoredObject | undefined>;
  /** What is there now. */
  stat(key: StorageKey): Promise<StoredObject | undefined>;
  /** The bytes as a stream that holds little of them in memory; destroying it ends the transfer. */
  read(key: StorageKey, version?: { etag: string }): Promise<{ size: number; body: Readable }>;
  /** Copies that version and no other, replacing what is there. */
  copy(from: StorageKey, to: StorageKey, version: { etag: string }): Promise<void>;
  /** Stores small objects of our own making, such as thumbnails, replacing what is there. */
  put(key: StorageKey, bytes: Uint8Array, contentType: string): Promise<void>;
  /** Removes what is there; what is not there is no fault. */
  remove(keys: readonly StorageKey[]): Promise<void>;
  /** Removes what was stored in a folder before then; answers with how many objects that were. */
  removeOlderThan(folder: StorageFolder, before: Date): Promise<number>;
  /** Why it cannot work now; undefined while it can. At most 2 s. */
  failure(): Promise<string | undefined>;
}
