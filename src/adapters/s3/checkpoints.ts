import { type CheckpointStore, CheckpointsDamaged, NotNext } from '../../audit/checkpoint-store.ts';
import { Checkpoint, hashOf, orderFault } from '../../audit/checkpoint.ts';
import type { S3Credentials } from './client.ts';
import { type S3FolderSettings, type S3Lock, openS3Folder } from './folder.ts';

const READS_AT_ONCE = 16;
/** The digits of the largest size. */
const DIGITS = 16;
/** How long an object is locked in a bucket with Object Lock but without a default. */
const DEFAULT_YEARS = 10;
const DAY_MS = 86_400_000;
const YEAR_DAYS = 365;

const nameOf = (size: number) => `${String(size).padStart(DIGITS, '0')}.json`;

/**
 * Creates a store with one object for each checkpoint, named by its size, which is never overwritten. Where the bucket has
 * Object Lock, each object is locked for the default time of the bucket, or for ten years. Needs s3:GetObject,
 * s3:PutObject, s3:ListBucket, and for the lock s3:GetBucketObjectLockConfiguration and s3:PutObjectRetention. Rejects
 * with `StorageUnavailable`.
 */
export function createS3Checkpoints(
  settings: S3FolderSettings,
  { credentials, now = Date.now }: { credentials?: S3Credentials; now?: () => number } = {},
): CheckpointStore & { close(): void } {
  const folder = openS3Folder(settings, credentials);
  let lock: Promise<(Omit<S3Lock, 'until'> & { days: number }) | undefined> | undefined;
  /** The size of a checkpoint that is stored. */
  let known = 0;

  /** Resolves with the lock that new objects get; undefined in a bucket without Object Lock. */
  async function lockOfBucket() {
    const found = await folder.objectLock();
    if (found?.ObjectLockEnabled !== 'Enabled') return undefined;
    const { Mode = 'COMPLIANCE', Days, Years = DEFAULT_YEARS } = found.Rule?.DefaultRetention ?? {};
    return { mode: Mode, days: Days ?? Years * YEAR_DAYS };
  }

  /** Resolves with the sizes of the checkpoints of more than `after` events, ascending, at most a page. */
  async function sizesAfter(after: number, limit?: number): Promise<{ sizes: number[]; isLast: boolean }> {
    const { names, next } = await folder.list({ after: nameOf(after), limit });
    const sizes = names.flatMap((name) => {
      const size = Number(name.slice(0, -'.json'.length));
      return name === nameOf(size) ? [size] : [];
    });
    return { sizes, isLast: next === undefined };
  }

  async function get(size: number): Promise<Checkpoint> {
    const text = await folder.read(nameOf(size));
    try {
      const checkpoint = Checkpoint.parse(JSON.parse(text));
      if (checkpoint.size === size) return checkpoint;
    } catch (cause) {
      throw new CheckpointsDamaged(`${nameOf(size)} is not a checkpoint`, { cause });
    }
    throw new CheckpointsDamaged(`${nameOf(size)} is the checkpoint of another size`);
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

  async function put(checkpoint: Checkpoint): Promise<boolean> {
    const locked = await (lock ??= lockOfBucket().catch((error: unknown) => {
      lock = undefined;
      throw error;
    }));
    const body = JSON.stringify(checkpoint);
    const until = locked && { mode: locked.mode, until: new Date(now() + locked.days * DAY_MS) };
    return folder.add(nameOf(checkpoint.size), body, until);
  }

  return {
    async append(checkpoint) {
      const before = await last();
      if (before && hashOf(before) === hashOf(checkpoint)) return;
      const fault = orderFault(before, checkpoint);
      if (fault) throw new NotNext(fault);
      if (await put(checkpoint)) return;
      // Another process was faster; or an attempt arrived whose answer was lost.
      if (hashOf(await get(checkpoint.size)) !== hashOf(checkpoint))
        throw new NotNext(`there is another checkpoint of ${checkpoint.size} events`);
    },

    read: async ({ after, limit }) => getAll((await sizesAfter(after, limit)).sizes),

    async *all() {
      for (let [after, done] = [0, false]; !done;) {
        const page = await sizesAfter(after);
        yield* await getAll(page.sizes);
        after = page.sizes.at(-1) ?? after;
        done = page.isLast || page.sizes.length === 0;
      }
    },

    last,
    close: () => folder.close(),
  };
}
