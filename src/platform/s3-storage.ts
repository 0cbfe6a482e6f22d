import type { Readable } from 'node:stream';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { Config } from '../config.ts';
import {
  type FileStorage,
  ObjectChanged,
  type StorageFolder,
  StorageUnavailable,
  UPLOAD_SECONDS,
  storageKey,
} from '../files/storage.ts';
import { wholeBody } from './s3-storage-body.ts';
import { type S3Credentials, asPort, s3Client, statusOf } from './s3-storage-client.ts';

/** The server copies while the call waits. */
const COPY_MS = 60_000;
const PROBE_MS = 2_000;
const REMOVALS_AT_ONCE = 10;

/** Presigning moves every x-amz- header into the URL, where S3 would not check the bytes against it. */
const CHECKSUM_HEADER = 'x-amz-checksum-sha256';

/**
 * Files in a bucket of S3 or of a server like it, which has to honour If-Match and If-None-Match. Needs s3:GetObject,
 * s3:PutObject, s3:DeleteObject and s3:ListBucket; without the last, what is missing looks forbidden. Credentials come
 * from the SDK's own chain unless given. An etag is S3's, without its quotes.
 */
export function createS3Storage(
  { bucket, endpoint, publicEndpoint, region, pathStyle }: NonNullable<Config['s3']>,
  {
    credentials,
    callMs = 10_000,
    idleMs = 15_000,
  }: {
    credentials?: S3Credentials;
    /** Of a call with its retries; of a read until its answer begins. */
    callMs?: number;
    /** Of silence in the middle of an object. */
    idleMs?: number;
  } = {},
): FileStorage & { close(): void } {
  const clientAt = (url: string | undefined) =>
    s3Client({ region, pathStyle, endpoint: url, answerMs: callMs, ...(credentials && { credentials }) });
  const client = clientAt(endpoint);
  const presigner = publicEndpoint === undefined ? client : clientAt(publicEndpoint);
  const within = (ms: number) => ({ abortSignal: AbortSignal.timeout(ms) });

  async function* list(folder: StorageFolder) {
    let token: string | undefined;
    do {
      const page = await client.send(
        new ListObjectsV2Command({
          Bucket: bucket,
          Prefix: `${folder}/`,
          ...(token !== undefined && { ContinuationToken: token }),
        }),
        within(callMs),
      );
      yield* page.Contents ?? [];
      token = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  /** One by one, since not every server like S3 knows how to delete many. */
  async function removeAll(keys: readonly string[]): Promise<void> {
    for (let from = 0; from < keys.length; from += REMOVALS_AT_ONCE)
      await Promise.all(
        keys
          .slice(from, from + REMOVALS_AT_ONCE)
          .map((Key) => client.send(new DeleteObjectCommand({ Bucket: bucket, Key }), within(callMs))),
      );
  }

  return {
    presignUpload: ({ fileId, contentType, size, sha256 }) =>
      asPort(async () => {
        const signingDate = new Date();
        const checksum = sha256 === null ? undefined : Buffer.from(sha256, 'hex').toString('base64');
        const command = new PutObjectCommand({
          Bucket: bucket,
          Key: storageKey('quarantine', fileId),
          ContentType: contentType,
          ContentLength: size,
          IfNoneMatch: '*',
          ...(checksum !== undefined && { ChecksumSHA256: checksum }),
        });
        const url = await getSignedUrl(presigner, command, {
          expiresIn: UPLOAD_SECONDS,
          signingDate,
          signableHeaders: new Set([
            'host',
            'content-type',
            'content-length',
            'if-none-match',
            CHECKSUM_HEADER,
          ]),
          unhoistableHeaders: new Set([CHECKSUM_HEADER]),
        });
        return {
          method: 'PUT',
          url,
          headers: {
            'content-type': contentType,
            'if-none-match': '*',
            ...(checksum !== undefined && { [CHECKSUM_HEADER]: checksum }),
          },
          expiresAt: new Date(signingDate.getTime() + UPLOAD_SECONDS * 1_000).toISOString(),
        };
      }),

    // A bucket has no end.
    requireRoom: () => Promise.resolve(),

    stat: (key) =>
      asPort(async () => {
        try {
          const found = await client.send(
            new HeadObjectCommand({ Bucket: bucket, Key: key }),
            within(callMs),
          );
          return described(found);
        } catch (error) {
          if (statusOf(error) === 404) return undefined;
          throw error;
        }
      }),

    read: (key, version) =>
      asPort(async () => {
        const IfMatch = version && `"${version.etag}"`;
        const found = await client.send(
          new GetObjectCommand({ Bucket: bucket, Key: key, ...(IfMatch && { IfMatch }) }),
        );
        const source = found.Body as Readable | undefined;
        try {
          const { size, etag } = described(found);
          if (!source) throw new StorageUnavailable('S3 answered without a body');
          // Not every server like S3 heeds If-Match.
          if (version && version.etag !== etag) throw new ObjectChanged();
          return { size, body: wholeBody(source, { size, idleMs }) };
        } catch (error) {
          source?.on('error', () => {}).destroy();
          throw error;
        }
      }),

    copy: (from, to, { etag }) =>
      asPort(async () => {
        await client.send(
          new CopyObjectCommand({
            Bucket: bucket,
            Key: to,
            CopySource: `${bucket}/${from}`,
            CopySourceIfMatch: `"${etag}"`,
          }),
          { ...within(COPY_MS), requestTimeout: COPY_MS },
        );
      }),

    put: (key, bytes, contentType) =>
      asPort(async () => {
        await client.send(
          new PutObjectCommand({ Bucket: bucket, Key: key, Body: bytes, ContentType: contentType }),
          within(callMs),
        );
      }),

    remove: (keys) => asPort(() => removeAll(keys)),

    removeOlderThan: (folder, before) =>
      asPort(async () => {
        let removed = 0;
        let old: string[] = [];
        const removeThem = async () => {
          await removeAll(old);
          removed += old.length;
          old = [];
        };
        for await (const { Key, LastModified } of list(folder)) {
          if (Key !== undefined && LastModified !== undefined && LastModified < before) old.push(Key);
          if (old.length === REMOVALS_AT_ONCE) await removeThem();
        }
        await removeThem();
        return removed;
      }),

    async failure() {
      try {
        await client.send(new HeadBucketCommand({ Bucket: bucket }), within(PROBE_MS));
        return undefined;
      } catch (error) {
        return `S3 does not answer as it should: ${statusOf(error) ?? (error as Error).name}`;
      }
    },

    close() {
      client.destroy();
      presigner.destroy();
    },
  };
}

/** What S3 says of an object in its headers. */
function described({
  ContentLength: size,
  ETag,
}: {
  ContentLength?: number | undefined;
  ETag?: string | undefined;
}) {
  const etag = ETag?.replaceAll(/^(?:W\/)?"|"$/g, '');
  if (size === undefined || !etag) throw new StorageUnavailable('S3 answered without size or ETag');
  return { size, etag };
}
