import { createHash } from 'node:crypto';
import {
  GetObjectCommand,
  GetObjectLockConfigurationCommand,
  ListObjectsV2Command,
  type ObjectLockConfiguration,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import type { Config } from '../../config.ts';
import { StorageUnavailable } from '../../files/storage.ts';
import { type S3Credentials, s3Clients, statusOf } from './client.ts';

const ANSWER_MS = 3_000;
/** Two calls last less long than a transaction may be idle. */
const CALL_MS = 4_000;
const PAGE = 1_000;

export interface S3FolderSettings extends NonNullable<Config['s3']> {
  /** The folder in the bucket, without a slash at its end. */
  prefix: string;
}
/** Until when nobody may remove an object. */
export type S3Lock = { mode: 'COMPLIANCE' | 'GOVERNANCE'; until: Date };

/**
 * A folder of a bucket with small objects of JSON, which are never overwritten. Names do not have the folder. All calls
 * reject with `StorageUnavailable`.
 */
export interface S3Folder {
  /**
   * Resolves with names in their order, at most a page: those after a name, or that begin in a way, or the next of a page
   * before. `next` is undefined on the last page.
   */
  list(which?: {
    after?: string;
    beginning?: string;
    limit?: number | undefined;
    next?: string | undefined;
  }): Promise<{ names: string[]; next: string | undefined }>;
  read(name: string): Promise<string>;
  /** Resolves with false when there is an object of this name, which stays as it is. */
  add(name: string, body: string, lock?: S3Lock): Promise<boolean>;
  /** Resolves with undefined in a bucket without Object Lock. */
  objectLock(): Promise<ObjectLockConfiguration | undefined>;
  close(): void;
}

/** Opens the folder. Without `credentials` it uses those that the SDK finds. */
export function openS3Folder(settings: S3FolderSettings, credentials?: S3Credentials): S3Folder {
  const { bucket, prefix, pathStyle = settings.endpoint !== undefined } = settings;
  const folder = prefix === '' ? '' : `${prefix}/`;
  const clients = s3Clients(settings, { answerMs: ANSWER_MS, credentials });
  const client = clients.clientOf(pathStyle);
  const within = () => ({ abortSignal: AbortSignal.timeout(CALL_MS) });

  async function asking<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      throw new StorageUnavailable(`S3 did not answer as it should about s3://${bucket}/${prefix}`, {
        cause,
      });
    }
  }

  return {
    list: ({ after, beginning = '', limit = PAGE, next } = {}) =>
      asking(async () => {
        const page = await client.send(
          new ListObjectsV2Command({
            Bucket: bucket,
            Prefix: `${folder}${beginning}`,
            MaxKeys: limit,
            ...(after !== undefined && { StartAfter: `${folder}${after}` }),
            ...(next !== undefined && { ContinuationToken: next }),
          }),
          within(),
        );
        const names = (page.Contents ?? []).map(({ Key = '' }) => Key.slice(folder.length));
        return { names, next: page.IsTruncated === true ? page.NextContinuationToken : undefined };
      }),

    read: (name) =>
      asking(async () => {
        const asked = { Bucket: bucket, Key: `${folder}${name}` };
        const found = await client.send(new GetObjectCommand(asked), within());
        return (await found.Body?.transformToString()) ?? '';
      }),

    add: (name, body, lock) =>
      asking(async () => {
        const put = new PutObjectCommand({
          Bucket: bucket,
          Key: `${folder}${name}`,
          Body: body,
          ContentType: 'application/json',
          IfNoneMatch: '*',
          ChecksumSHA256: createHash('sha256').update(body).digest('base64'),
          ...(lock && { ObjectLockMode: lock.mode, ObjectLockRetainUntilDate: lock.until }),
        });
        try {
          await client.send(put, within());
          return true;
        } catch (error) {
          if (statusOf(error) === 412) return false;
          throw error;
        }
      }),

    objectLock: () =>
      asking(async () => {
        try {
          const found = await client.send(
            new GetObjectLockConfigurationCommand({ Bucket: bucket }),
            within(),
          );
          return found.ObjectLockConfiguration;
        } catch (error) {
          // Not found, or not implemented: there is no Object Lock.
          if ([404, 405, 501].includes(statusOf(error) ?? 0)) return undefined;
          throw error;
        }
      }),

    close: () => clients.close(),
  };
}
