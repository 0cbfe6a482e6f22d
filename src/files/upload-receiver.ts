import type { Readable } from 'node:stream';
import type { FileId } from '../events/ids.ts';
import type { StoredObject } from './storage.ts';

/** The permission in the URL of an upload. */
export interface UploadPermit {
  fileId: FileId;
  contentType: string;
  /** In bytes, exactly. */
  size: number;
  /** In hexadecimal. */
  sha256: string | null;
}

/** The bytes do not match the URL; none of them are kept. */
export class UploadRefused extends Error {
  override readonly name = 'UploadRefused';
  readonly reason: 'exists' | 'wrong-size' | 'wrong-sha256' | 'broken-off';

  constructor(reason: UploadRefused['reason'], options?: ErrorOptions) {
    super(reason, options);
    this.reason = reason;
  }
}

/** The port of uploads that come to this server because there is no separate storage to take them. */
export interface UploadReceiver {
  /** Returns undefined when the token is forged, made for another file, or expired. */
  permit(fileId: FileId, token: string): UploadPermit | undefined;
  /**
   * Stores the bytes in quarantine, on stable storage, holding little of them in memory. Existing bytes are
   * never replaced. A second transfer of the same file ends the first. Leaves `body` open on a refusal, so
   * that the client can be told. Rejects with `UploadRefused`, or with `StorageUnavailable`.
   */
  receive(permit: UploadPermit, body: Readable): Promise<StoredObject>;
}
