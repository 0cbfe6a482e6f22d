import { createHash } from 'node:crypto';
import {
  GetObjectCommand,
  GetObjectLockConfigurationCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import type { Config } from '../../config.ts';
import { type CheckpointStore, CheckpointsDamaged, NotNext } from '../../audit/checkpoint-store.ts';
import { Checkpoint, hashOf, orderFault } from '../../audit/checkpoint.ts';
import { StorageUnavailable } from '../../files/storage.ts';
import { type S3Credentials, s3Clients, statusOf } from './client.ts';

const ANSWER_MS = 3_000;
/** Two calls last less long than a transaction may be idle. */
const CALL_MS = 4_000;
const PAGE = 1_000;
const READS_AT_ONCE = 16;
/** The digits of the largest size. */
const DIGITS = 16;
/** How long an object is locked in a bucket with Object Lock but without a default. */
const DEFAULT_YEARS = 10;
const DAY_MS = 86_400_000;
const YEAR_DAYS = 365;

interface Settings extends NonNullable<Config['s3']> {
  /** The folder in the bucket, without a slash at its end. */
  prefix: string;
}
type Lock = { mode: 'COMPLIANCE' | 'GOVERNANCE'; days: number };

/**
 * Creates a store with one object for each checkpoint, named by its size, which is never overwritten. Where the bucket has
 * Object Lock, each object is locked for the default time of the bucket, or for ten years. Needs s3:GetObject,
 * s3:PutObject, s3:ListBucket, and for the lock s3:GetBucketObjectLockConfiguration and s3:PutObjectRetention. Rejects
 * with `StorageUnavailable`.
 */
export function createS3Checkpoints(
  settings: Settings,
  { credentials, now = Date.now }: { credentials?: S3Credentials; now?: () => number } = {},
): CheckpointStore & { close(): void } {
  const { bucket, pathStyle = settings.endpoint !== undefined } = settings;
  const folder = settings.prefix === '' ? '' : `${settings.prefix}/`;
  const clients = s3Clients(settings, { answerMs: ANSWER_MS, credentials });
  const client = clients.clientOf(pathStyle);
  const within = () => ({ abortSignal: AbortSignal.timeout(CALL_MS) });
  const keyOf = (size: number) => `${folder}${String(size).padStart(DIGITS, '0')}.json`;
  let lock: Promise<Lock | undefined> | undefined;
  /** The size of a checkpoint that is stored. */
  let known = 0;

  async function asking<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (
        error instanceof CheckpointsDamaged ||
        error instanceof NotNext ||
        error instanceof StorageUnavailable
      )
        throw error;
      throw new StorageUnavailable('S3 did not answer as it should', { cause: error });
    }
  }

  /** Resolves with the lock that new objects get; undefined in a bucket without Object Lock. */
  async function lockOfBucket(): Promise<Lock | undefined> {
    const found = await client
      .send(new GetObjectLockConfigurationCommand({ Bucket: bucket }), within())
      .catch((error: unknown) => {
        // Not found, or not implemented: there is no Object Lock.
        if ([404, 405, 501].includes(statusOf(error) ?? 0)) return undefined;
        throw error;
      });
    const configuration = found?.ObjectLockConfiguration;
    if (configuration?.ObjectLockEnabled !== 'Enabled') return undefined;
    const { Mode = 'COMPLIANCE', Days, Years = DEFAULT_YEARS } = configuration.Rule?.DefaultRetention ?? {};
    return { mode: Mode, days: Days ?? Years * YEAR_DAYS };
  }

  /** Resolves with the sizes of the checkpoints of more than `after` events, ascending, at most a page. */
  async function sizesAfter(after: number, limit = PAGE): Promise<{ sizes: number[]; isLast: boolean }> {
    const page = await client.send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: folder, StartAfter: keyOf(after), MaxKeys: limit }),
      within(),
    );
    const sizes = (page.Contents ?? []).flatMap(({ Key = '' }) => {
      const size = Number(Key.slice(folder.length, -'.json'.length));
      return Key === keyOf(size) ? [size] : [];
    });
    return { sizes, isLast: page.IsTruncated !== true };
  }

  async function get(size: number): Promise<Checkpoint> {
    const found = await client.send(new GetObjectCommand({ Bucket: bucket, Key: keyOf(size) }), within());
    const text = (await found.Body?.transformToString()) ?? '';
    try {
      const checkpoint = Checkpoint.parse(JSON.parse(text));
      if (checkpoint.size === size) return checkpoint;
    } catch (cause) {
      throw new CheckpointsDamaged(`${keyOf(size)} is not a checkpoint`, { cause });
    }
    throw new CheckpointsDamaged(`${keyOf(size)} is the checkpoint of another size`);
  }

  async function getAll(sizes: readonly number[]): Promise<Checkpoint[]> {
    const found: Checkpoint[] = [];
    for (let from = 0; from < sizes.length; from += READS_AT_ONCE)
      found.push(...(await Promise.all(sizes.slice(from, from + READS_AT_ONCE).map(get))));
    return found;
  }

  /** Finds the last checkpoint: at once after the first time, and by bisection the first time. */
  async function lastSize(): Promise<number> {
    let { sizes, isLast } = await sizesAfter(known);
    let most = Number.MAX_SAFE_INTEGER;
    known = sizes.at(-1) ?? known;
    while (!isLast) {
      const middle = known + Math.ceil((most - known) / 2);
      ({ sizes, isLast } = await sizesAfter(middle));
      if (sizes.length > 0) known = sizes.at(-1)!;
      else {
        most = middle;
        ({ sizes, isLast } = await sizesAfter(known));
        known = sizes.at(-1) ?? known;
      }
    }
    return known;
  }

  async function last(): Promise<Checkpoint | undefined> {
    const size = await lastSize();
    return size === 0 ? undefined : get(size);
  }

  async function put(checkpoint: Checkpoint): Promise<void> {
    const locked = await (lock ??= lockOfBucket().catch((error: unknown) => {
      lock = undefined;
      throw error;
    }));
    const body = JSON.stringify(checkpoint);
    await client.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: keyOf(checkpoint.size),
        Body: body,
        ContentType: 'application/json',
        IfNoneMatch: '*',
        ChecksumSHA256: createHash('sha256').update(body).digest('base64'),
        ...(locked && {
          ObjectLockMode: locked.mode,
          ObjectLockRetainUntilDate: new Date(now() + locked.days * DAY_MS),
        }),
      }),
      within(),
    );
  }

  return {
    append: (checkpoint) =>
      asking(async () => {
        const before = await last();
        if (before && hashOf(before) === hashOf(checkpoint)) return;
        const fault = orderFault(before, checkpoint);
        if (fault) throw new NotNext(fault);
        try {
          await put(checkpoint);
        } catch (error) {
          // Another process was faster; or an attempt arrived whose answer was lost.
          if (statusOf(error) !== 412) throw error;
          if (hashOf(await get(checkpoint.size)) !== hashOf(checkpoint))
            throw new NotNext(`there is another checkpoint of ${checkpoint.size} events`);
        }
      }),

    read: ({ after, limit }) => asking(async () => getAll((await sizesAfter(after, limit)).sizes)),

    async *all() {
      for (let [after, done] = [0, false]; !done;) {
        const page = await asking(() => sizesAfter(after));
        yield* await asking(() => getAll(page.sizes));
        after = page.sizes.at(-1) ?? after;
        done = page.isLast || page.sizes.length === 0;
      }
    },

    last: () => asking(last),
    close: () => clients.close(),
  };
}
