import { randomUUID } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { PROBE_FOLDER } from '../../src/adapters/s3/abilities.ts';
import { s3Clients } from '../../src/adapters/s3/client.ts';
import { type S3FolderSettings, openS3Folder } from '../../src/adapters/s3/folder.ts';
import type { Config } from '../../src/config.ts';
import { reasonOf } from '../../src/kit/reason.ts';
import { type Finding, fault, ok, warning } from './finding.ts';

const ANSWER_MS = 5_000;
const HOUR_MS = 3_600_000;
/** A backup of each day, with some hours to make it. */
const LATE_HOURS = 26;
const LOST_HOURS = 7 * 24;

type Bucket = NonNullable<Config['s3']>;
const clientOf = (settings: Bucket) => {
  const clients = s3Clients(settings, { answerMs: ANSWER_MS, credentials: undefined });
  const client = clients.clientOf(settings.pathStyle ?? settings.endpoint !== undefined);
  return { client, close: clients.close };
};

/** Looks at the buckets: writes, reads and removes an object in that of files, and lists those of the sealer and the eraser. */
export async function storageFindings({ s3, seal, erasedPeople }: Config): Promise<Finding[]> {
  const found = await Promise.all([
    s3 === undefined ? [ok('files', 'in DATA_DIR')] : bucketFindings(s3),
    seal.s3 === undefined ? [] : sealFindings(seal.s3),
    erasedPeople.s3 === undefined ? [] : folderFindings('erased people', erasedPeople.s3),
  ]);
  return found.flat();
}

async function bucketFindings(settings: Bucket): Promise<Finding[]> {
  const check = 'files';
  const { client, close } = clientOf(settings);
  const at = { Bucket: settings.bucket, Key: `${PROBE_FOLDER}doctor-${randomUUID()}` };
  let step = 'put';
  try {
    await client.send(new PutObjectCommand({ ...at, Body: 'doctor' }));
    step = 'get';
    const found = await client.send(new GetObjectCommand(at));
    if ((await found.Body?.transformToString()) !== 'doctor') throw new Error('other bytes came back');
    step = 'delete';
    await client.send(new DeleteObjectCommand(at));
    return [ok(check, `s3://${settings.bucket} takes, gives back and removes an object`)];
  } catch (error) {
    return [
      fault(
        check,
        `s3://${settings.bucket} refuses to ${step}: ${reasonOf(error)}`,
        'check S3_BUCKET, S3_ENDPOINT and the credentials; docs/operations.md has the permissions',
      ),
    ];
  } finally {
    close();
  }
}

async function sealFindings(settings: S3FolderSettings): Promise<Finding[]> {
  const folder = openS3Folder(settings);
  try {
    await folder.list({ limit: 1 });
    return [
      (await folder.objectLock()) === undefined
        ? warning(
            'checkpoints',
            `s3://${settings.bucket} has no Object Lock: whoever has its credentials can remove checkpoints`,
            'use a bucket with Object Lock: docs/audit.md',
          )
        : ok('checkpoints', `s3://${settings.bucket}, with Object Lock`),
    ];
  } catch (error) {
    return [unreadable('checkpoints', error)];
  } finally {
    folder.close();
  }
}

async function folderFindings(check: string, settings: S3FolderSettings): Promise<Finding[]> {
  const folder = openS3Folder(settings);
  try {
    await folder.list({ limit: 1 });
    return [ok(check, `s3://${settings.bucket}/${settings.prefix} can be read`)];
  } catch (error) {
    return [unreadable(check, error)];
  } finally {
    folder.close();
  }
}

const unreadable = (check: string, error: unknown): Finding =>
  fault(
    check,
    `${reasonOf(error)}: ${reasonOf((error as Error).cause)}`,
    'check the URL, and that the credentials may list the bucket',
  );

/** Looks at the age of the newest file of a folder, given as a path or URL, or object of `s3://bucket/folder`. */
export async function backupFindings(
  config: Config,
  place: string | undefined = config.backupUrl,
): Promise<Finding[]> {
  const check = 'backup';
  if (place === undefined)
    return [
      warning(
        check,
        'unknown',
        'tell where it is: BACKUP_URL, or --backup with a path or s3://bucket/folder',
      ),
    ];
  const newest = place.startsWith('s3://')
    ? await newestObject(config, place)
    : await newestFile(place.startsWith('file://') ? fileURLToPath(place) : place);
  const remedy = 'see why the last one was not made: docs/backup.md';
  if (newest === undefined) return [fault(check, `there is none in ${place}`, remedy)];
  const hours = Math.floor((Date.now() - newest) / HOUR_MS);
  const detail = `the newest in ${place} is ${hours} hours old`;
  if (hours >= LOST_HOURS) return [fault(check, detail, remedy)];
  return [hours >= LATE_HOURS ? warning(check, detail, remedy) : ok(check, detail)];
}

/** Resolves with when the newest file that is not empty was written, in ms since 1970. */
async function newestFile(path: string): Promise<number | undefined> {
  const found = await stat(path);
  if (found.isFile()) return found.size > 0 ? found.mtimeMs : undefined;
  const times: number[] = [];
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const { size, mtimeMs } = await stat(join(entry.parentPath, entry.name));
    if (size > 0) times.push(mtimeMs);
  }
  return times.length > 0 ? times.reduce((a, b) => Math.max(a, b)) : undefined;
}

async function newestObject({ s3, seal }: Config, place: string): Promise<number | undefined> {
  const { hostname, pathname } = new URL(place);
  const { client, close } = clientOf({
    ...(s3 ??
      seal.s3 ?? { endpoint: undefined, publicEndpoint: undefined, region: 'us-east-1', pathStyle: false }),
    bucket: hostname,
  });
  try {
    let newest: number | undefined;
    let token: string | undefined;
    do {
      const page = await client.send(
        new ListObjectsV2Command({
          Bucket: hostname,
          Prefix: decodeURIComponent(pathname.slice(1)),
          ...(token !== undefined && { ContinuationToken: token }),
        }),
      );
      for (const { LastModified, Size = 0 } of page.Contents ?? [])
        if (Size > 0 && LastModified) newest = Math.max(newest ?? 0, LastModified.getTime());
      token = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
    return newest;
  } finally {
    close();
  }
}
