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
import type { Config } from '../../config.ts';
import type { FileId } from '../../events/ids.ts';
import {
  type ByteRange,
  type FileStorage,
  ObjectChanged,
  type StorageKey,
  StorageUnavailable,
  type StoredObject,
  storageKey,
} from '../../files/storage.ts';
import { PROBE_FOLDER, type S3Abilities, allAbilities } from './abilities.ts';
import { wholeBody } from './body.ts';
import { type S3Credentials, asPort, s3Clients, statusOf } from './client.ts';
import { presignPut } from './upload.ts';

/** The server copies while the call waits. */
const COPY_MS = 60_000;
const PROBE_MS = 2_000;
const REMOVALS_AT_ONCE = 10;

/** The folder of uploads that a client may overwrite while its URL is valid. */
const INCOMING = 'incoming/';
const incomingKey = (fileId: FileId) => `${INCOMING}${fileId}`;
/** Returns the incoming key of an object of quarantine. */
const incomingOf = (key: StorageKey) =>
  key.startsWith('quarantine/') ? [key.replace('quarantine/', INCOMING)] : [];

/**
 * Creates storage in a bucket of S3 or a compatible server. Needs s3:GetObject, s3:PutObject, s3:DeleteObject
 * and s3:ListBucket; without the last, missing objects look forbidden. Credentials come from the SDK's own
 * chain unless given. An etag is S3's, without its quotes. `abilities` returns what the server supports; the
 * rest is done in another way.
 */
export function createS3Storage(
  settings: NonNullable<Config['s3']>,
  {
    credentials,
    abilities = () => allAbilities(settings.pathStyle ?? false),
    callMs = 10_000,
    idleMs = 15_000,
  }: {
    credentials?: S3Credentials;
    abilities?: () => S3Abilities;
    /** Time limit of a call with its retries; of a read until its answer begins. */
    callMs?: number;
    /** Longest silence in the middle of an object. */
    idleMs?: number;
  } = {},
): FileStorage & { close(): void } {
  const { bucket } = settings;
  /** False for Amazon, which has all abilities, so that there are no objects beside the folders. */
  const mayLack = settings.endpoint !== undefined;
  const { clientOf, presignerOf, close } = s3Clients(settings, { answerMs: callMs, credentials });
  const client = () => clientOf(abilities().pathStyle);
  const within = (ms: number) => ({ abortSignal: AbortSignal.timeout(ms) });

  async function* list(prefix: string) {
    let token: string | undefined;
    do {
      const page = await client().send(
        new ListObjectsV2Command({
          Bucket: bucket,
          Prefix: prefix,
          ...(token !== undefined && { ContinuationToken: token }),
        }),
        within(callMs),
      );
      yield* page.Contents ?? [];
      token = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  /** Removes objects one by one: not every compatible server can delete many at once. */
  async function removeAll(keys: readonly string[]): Promise<void> {
    for (let from = 0; from < keys.length; from += REMOVALS_AT_ONCE)
      await Promise.all(
        keys
          .slice(from, from + REMOVALS_AT_ONCE)
          .map((Key) => client().send(new DeleteObjectCommand({ Bucket: bucket, Key }), within(callMs))),
      );
  }

  async function removeOld(prefix: string, before: Date): Promise<number> {
    let removed = 0;
    let old: string[] = [];
    const removeThem = async () => {
      await removeAll(old);
      removed += old.length;
      old = [];
    };
    for await (const { Key, LastModified } of list(prefix)) {
      if (Key !== undefined && LastModified !== undefined && LastModified < before) old.push(Key);
      if (old.length === REMOVALS_AT_ONCE) await removeThem();
    }
    await removeThem();
    return removed;
  }

  async function stat(key: string): Promise<StoredObject | undefined> {
    try {
      return described(
        await client().send(new HeadObjectCommand({ Bucket: bucket, Key: key }), within(callMs)),
      );
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw error;
    }
  }

  async function requireVersion(key: string, etag: string): Promise<void> {
    if ((await stat(key))?.etag !== etag) throw new ObjectChanged();
  }

  /** Copies that version, or the present one. */
  async function copy(from: string, to: string, etag?: string): Promise<void> {
    await client().send(
      new CopyObjectCommand({
        Bucket: bucket,
        Key: to,
        CopySource: `${bucket}/${from}`,
        ...(etag !== undefined && { CopySourceIfMatch: `"${etag}"` }),
      }),
      { ...within(COPY_MS), requestTimeout: COPY_MS },
    );
  }

  /**
   * Seals an upload, also when the server's ability to refuse overwriting became known only after the URL was
   * given.
   */
  async function seal(fileId: FileId): Promise<StoredObject | undefined> {
    const key = storageKey('quarantine', fileId);
    const sealed = await stat(key);
    if (sealed || !mayLack) return sealed;
    const incoming = incomingKey(fileId);
    if (!(await stat(incoming))) return undefined;
    await copy(incoming, key);
    await removeAll([incoming]);
    return stat(key);
  }

  return {
    presignUpload: ({ fileId, sha256, ...upload }) =>
      asPort(() => {
        const { keepsFirst, checksSha256, pathStyle } = abilities();
        const key = keepsFirst ? storageKey('quarantine', fileId) : incomingKey(fileId);
        const sum = checksSha256 ? sha256 : null;
        return presignPut(presignerOf(pathStyle), { ...upload, bucket, key, sha256: sum, once: keepsFirst });
      }),

    seal: (fileId) => asPort(() => seal(fileId)),

    // A bucket has no size limit.
    requireRoom: () => Promise.resolve(),

    stat: (key) => asPort(() => stat(key)),

    read: (key, version) =>
      asPort(async () => {
        const { etag: wanted, range } = version ?? {};
        const found = await client().send(
          new GetObjectCommand({
            ...{ Bucket: bucket, Key: key },
            ...(wanted !== undefined && { IfMatch: `"${wanted}"` }),
            ...(range && { Range: `bytes=${range.start}-${range.end}` }),
          }),
        );
        const source = found.Body as Readable | undefined;
        try {
          const { size: sent, etag } = described(found);
          if (!source) throw new StorageUnavailable('S3 answered without a body');
          // Not every compatible server honours If-Match.
          if (wanted !== undefined && wanted !== etag) throw new ObjectChanged();
          const size = range ? sizeOfWhole(range, found.ContentRange) : sent;
          return { size, etag, body: wholeBody(source, { size: sent, idleMs }) };
        } catch (error) {
          source?.on('error', () => {}).destroy();
          throw error;
        }
      }),

    copy: (from, to, { etag }) =>
      asPort(async () => {
        if (abilities().copiesVersion) return copy(from, to, etag);
        await requireVersion(from, etag);
        await copy(from, to);
        await requireVersion(from, etag).catch(async (error: unknown) => {
          await removeAll([to]);
          throw error;
        });
      }),

    put: (key, bytes, contentType) =>
      asPort(async () => {
        await client().send(
          new PutObjectCommand({ Bucket: bucket, Key: key, Body: bytes, ContentType: contentType }),
          within(callMs),
        );
      }),

    remove: (keys) =>
      asPort(() =>
        removeAll(abilities().keepsFirst ? keys : keys.flatMap((key) => [...incomingOf(key), key])),
      ),

    removeOlderThan: (folder, before) =>
      asPort(async () => {
        if (folder === 'quarantine' && mayLack)
          for (const beside of [INCOMING, PROBE_FOLDER]) await removeOld(beside, before);
        return removeOld(`${folder}/`, before);
      }),

    async failure() {
      try {
        await client().send(new HeadBucketCommand({ Bucket: bucket }), within(PROBE_MS));
        return undefined;
      } catch (error) {
        return `S3 does not answer as it should: ${statusOf(error) ?? (error as Error).name}`;
      }
    },

    close,
  };
}

/** Reads the size of an object from the answer with a part of it, which is exactly the one that was asked for. */
function sizeOfWhole({ start, end }: ByteRange, contentRange = ''): number {
  const [, part, size] = /^bytes (\d+-\d+)\/(\d+)$/.exec(contentRange) ?? [];
  if (part !== `${start}-${end}`) throw new StorageUnavailable('S3 answered with another part');
  return Number(size);
}

/** Reads size and etag of an object from its headers. */
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
