import { createHash, randomUUID } from 'node:crypto';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { Logger } from 'pino';
import { StorageUnavailable } from '../../files/storage.ts';
import { statusOf } from './client.ts';
import { presignPut } from './upload.ts';

/** The abilities of a server beside storing objects. */
export interface S3Abilities {
  /** True if it finds the bucket in the path and not in the host name. */
  pathStyle: boolean;
  /** True if it refuses to overwrite when an upload asks for that. */
  keepsFirst: boolean;
  /** True if it compares bytes with the SHA-256 in a header. */
  checksSha256: boolean;
  /** True if it copies the requested version, or nothing. */
  copiesVersion: boolean;
}

/** The abilities of Amazon. */
export const allAbilities = (pathStyle: boolean): S3Abilities => ({
  pathStyle,
  ...{ keepsFirst: true, checksSha256: true, copiesVersion: true },
});

/** The abilities of every server, assumed until those of this one are known. */
export const fewestAbilities = (pathStyle: boolean): S3Abilities => ({
  pathStyle,
  ...{ keepsFirst: false, checksSha256: false, copiesVersion: false },
});

/** The folder of the probe's objects, which has no others. */
export const PROBE_FOLDER = 'probe/';
const PROBE_MS = 10_000;
const FIRST_PAUSE_MS = 15_000;
const LONGEST_PAUSE_MS = 300_000;
const contentType = 'text/plain';
const [FIRST, OTHER] = [Buffer.from('first'), Buffer.from('other')];
const sha256 = createHash('sha256').update(FIRST).digest('hex');

/** Returns the client that names the bucket in the path, or in the host name. */
export type ClientOf = (pathStyle: boolean) => S3Client;

/** Determines the abilities of a server, with objects of five bytes. Rejects when it cannot be asked. */
async function probe(
  bucket: string,
  clientOf: ClientOf,
  styles: readonly boolean[],
  signal: AbortSignal,
): Promise<S3Abilities> {
  const abortSignal = { abortSignal: signal };
  const pathStyle = await styleOf(bucket, clientOf, styles, signal);
  const client = clientOf(pathStyle);
  const folder = `${PROBE_FOLDER}${randomUUID()}/`;
  const keys = ['plain', 'once', 'sha256', 'copy'].map((name) => `${folder}${name}`);
  const [plain, once, checked, copy] = keys as [string, string, string, string];

  async function put(key: string, body: Buffer, asked: { sha256?: string; once?: boolean } = {}) {
    const upload = { bucket, key, contentType, size: body.length, sha256: null, once: false, ...asked };
    const { url, method, headers } = await presignPut(client, upload);
    const response = await fetch(url, { method, headers, body: new Uint8Array(body), signal });
    await response.arrayBuffer();
    return settled(response.status);
  }

  async function keepsFirst(): Promise<boolean> {
    if ((await put(once, FIRST, { once: true })) !== 200) return false;
    return [409, 412].includes(await put(once, OTHER, { once: true }));
  }

  async function checksSha256(): Promise<boolean> {
    if ((await put(checked, FIRST, { sha256 })) !== 200) return false;
    return (await put(checked, OTHER, { sha256 })) !== 200;
  }

  async function copyIf(etag: string): Promise<number> {
    const source = { Bucket: bucket, Key: copy, CopySource: `${bucket}/${plain}`, CopySourceIfMatch: etag };
    try {
      await client.send(new CopyObjectCommand(source), abortSignal);
      return 200;
    } catch (error) {
      const status = statusOf(error);
      if (status === undefined) throw error;
      return settled(status);
    }
  }

  async function copiesVersion(): Promise<boolean> {
    const { ETag = '' } = await client.send(
      new HeadObjectCommand({ Bucket: bucket, Key: plain }),
      abortSignal,
    );
    return (await copyIf('"00000000000000000000000000000000"')) === 412 && (await copyIf(ETag)) === 200;
  }

  try {
    const status = await put(plain, FIRST);
    if (status !== 200) throw new StorageUnavailable(`S3 answered ${status} to the upload of an object`);
    return {
      pathStyle,
      keepsFirst: await keepsFirst(),
      checksSha256: await checksSha256(),
      copiesVersion: await copiesVersion(),
    };
  } finally {
    // Objects that cannot be removed now go with the next cleaning of quarantine.
    await Promise.allSettled(
      keys.map((Key) => client.send(new DeleteObjectCommand({ Bucket: bucket, Key }), abortSignal)),
    );
  }
}

/** Throws for an answer that does not show the server's abilities. 501 does show them. */
function settled(status: number): number {
  if (status >= 500 && status !== 501) throw new StorageUnavailable(`S3 answered ${status}`);
  return status;
}

/** Resolves with the first style that finds the bucket. Rejects with the error of the first when none does. */
async function styleOf(
  bucket: string,
  clientOf: ClientOf,
  styles: readonly boolean[],
  signal: AbortSignal,
): Promise<boolean> {
  const errors: unknown[] = [];
  for (const pathStyle of styles)
    try {
      await clientOf(pathStyle).send(new HeadBucketCommand({ Bucket: bucket }), { abortSignal: signal });
      return pathStyle;
    } catch (error) {
      errors.push(error);
    }
  throw errors[0];
}

const LACKS = {
  keepsFirst:
    'The S3 server does not refuse to overwrite an object: uploads go to incoming/, and each is copied to quarantine/, where no client can change it, before it is looked at',
  checksSha256:
    'The S3 server does not compare uploads with their SHA-256: only the inspection does, and refuses the file',
  copiesVersion:
    'The S3 server does not copy a version of an object by its ETag: the ETag is compared before and after each copy',
} as const;

export interface WatchedAbilities {
  current(): S3Abilities;
  /** Stops asking. */
  stop(): void;
}

/**
 * Determines the abilities of a server before it resolves, or later if the server cannot be asked yet.
 * Without `pathStyle` both styles are tried.
 */
export async function watchAbilities({
  bucket,
  clientOf,
  pathStyle,
  log,
  probeMs = PROBE_MS,
  firstPauseMs = FIRST_PAUSE_MS,
}: {
  bucket: string;
  clientOf: ClientOf;
  pathStyle: boolean | undefined;
  log: Logger;
  probeMs?: number;
  firstPauseMs?: number;
}): Promise<WatchedAbilities> {
  let current = fewestAbilities(pathStyle ?? true);
  let timer: NodeJS.Timeout | undefined;
  const stopping = new AbortController();

  async function find(pauseMs: number): Promise<void> {
    const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(probeMs)]);
    try {
      const styles = pathStyle === undefined ? [true, false] : [pathStyle];
      current = await probe(bucket, clientOf, styles, signal);
      report(current);
    } catch (err) {
      if (stopping.signal.aborted) return;
      log.warn(
        { err, pauseMs },
        'could not ask the S3 server what it supports; asking again, and using only what every such server supports meanwhile',
      );
      timer = setTimeout(() => void find(Math.min(2 * pauseMs, LONGEST_PAUSE_MS)), pauseMs).unref();
    }
  }

  function report(abilities: S3Abilities): void {
    const lacks = (Object.keys(LACKS) as (keyof typeof LACKS)[]).filter((ability) => !abilities[ability]);
    for (const ability of lacks) log.warn(LACKS[ability]);
    const style = abilities.pathStyle ? 'the path' : 'the name of the host';
    log.info({ ...abilities }, `The S3 server finds the bucket in ${style}`);
  }

  await find(firstPauseMs);
  return {
    current: () => current,
    stop() {
      stopping.abort();
      clearTimeout(timer);
    },
  };
}
