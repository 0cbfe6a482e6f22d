import { S3Client, type S3ClientConfig, S3ServiceException } from '@aws-sdk/client-s3';
import type { Config } from '../../config.ts';
import { ObjectChanged, StorageUnavailable } from '../../files/storage.ts';

export type S3Credentials = NonNullable<S3ClientConfig['credentials']>;

const CONNECT_MS = 2_000;
const ATTEMPTS = 3;
/** A download holds a connection for as long as its reader takes. */
const MAX_SOCKETS = 256;

/**
 * Creates a client with its own limits. Without `endpoint` it uses Amazon, without `credentials` the SDK's
 * own chain.
 */
function s3Client({
  region,
  pathStyle,
  endpoint,
  answerMs,
  credentials,
}: {
  region: string;
  pathStyle: boolean;
  endpoint: string | undefined;
  /** Time limit of one attempt, until its answer begins. */
  answerMs: number;
  credentials?: S3Credentials;
}): S3Client {
  return new S3Client({
    region,
    forcePathStyle: pathStyle,
    ...(endpoint !== undefined && { endpoint }),
    ...(credentials && { credentials }),
    // A presigned request has no body yet to compute the checksum of.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_SUPPORTED',
    maxAttempts: ATTEMPTS,
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      requestTimeout: answerMs,
      throwOnRequestTimeout: true,
      socketTimeout: 0,
      httpAgent: { keepAlive: true, maxSockets: MAX_SOCKETS },
      httpsAgent: { keepAlive: true, maxSockets: MAX_SOCKETS },
    },
  });
}

/** Creates the clients of a bucket, by path or by host name: one to make calls, one to sign URLs for clients. */
export function s3Clients(
  { endpoint, publicEndpoint, region }: NonNullable<Config['s3']>,
  { answerMs, credentials }: { answerMs: number; credentials: S3Credentials | undefined },
) {
  const clients = new Map<string, S3Client>();

  function at(url: string | undefined, pathStyle: boolean): S3Client {
    const name = `${url} ${pathStyle}`;
    const found = clients.get(name);
    if (found) return found;
    const client = s3Client({
      region,
      pathStyle,
      endpoint: url,
      answerMs,
      ...(credentials && { credentials }),
    });
    clients.set(name, client);
    return client;
  }

  return {
    clientOf: (pathStyle: boolean) => at(endpoint, pathStyle),
    presignerOf: (pathStyle: boolean) => at(publicEndpoint ?? endpoint, pathStyle),
    close: () => clients.forEach((client) => client.destroy()),
  };
}

/** Returns the origins to which links of a bucket may lead, by its path or by its host name. */
export function uploadOriginsOf({
  bucket,
  endpoint,
  publicEndpoint,
  region,
  pathStyle,
}: NonNullable<Config['s3']>): string[] {
  const { protocol, host } = new URL(publicEndpoint ?? endpoint ?? `https://s3.${region}.amazonaws.com`);
  const byPath = `${protocol}//${host}`;
  const byHost = `${protocol}//${bucket}.${host}`;
  if (pathStyle === undefined) return [byPath, byHost];
  return [pathStyle ? byPath : byHost];
}

/** Returns the HTTP status of S3's answer; undefined when it did not answer. */
export const statusOf = (error: unknown): number | undefined =>
  error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;

/** Runs calls of S3, and throws the errors of the port. A missing bucket is not a missing object. */
export async function asPort<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ObjectChanged || error instanceof StorageUnavailable) throw error;
    const status = statusOf(error);
    const isMissing = status === 404 && (error as Error).name !== 'NoSuchBucket';
    if (status === 412 || isMissing) throw new ObjectChanged('', { cause: error });
    throw new StorageUnavailable('S3 did not answer as it should', { cause: error });
  }
}
