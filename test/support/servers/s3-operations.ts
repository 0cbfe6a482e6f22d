import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { S3Error, type S3Request, split } from './s3-signatures.ts';

export interface S3Object {
  bytes: Buffer;
  etag: string;
  contentType: string;
  modifiedAt: Date;
  /** The checksum as its header shows it: the client's own, or the server's. */
  checksum: [header: string, value: string];
  /** Until when nobody may remove it. */
  lock?: { mode: string; until: string };
}

export interface S3Answer {
  status: number;
  headers?: Record<string, string>;
  body?: Buffer | string;
}

export interface Bucket {
  name: string;
  objects: Map<string, S3Object>;
  now: () => number;
  /** The maximum number of keys on a page of a list. */
  pageSize: number;
  /** The default of a bucket with Object Lock; undefined for one without. */
  objectLock?: { mode?: string; days?: number } | undefined;
}

/** The operations of S3 that the project uses. `target` is the path after the bucket. */
export function operate(bucket: Bucket, request: S3Request, target: string, body: Buffer): S3Answer {
  const { method, headers } = request;
  if (target === '') {
    if (method === 'HEAD') return { status: 200 };
    const query = Object.fromEntries(split(request.url).query);
    if (method === 'GET') return 'object-lock' in query ? lockOf(bucket) : list(bucket, query);
    throw new S3Error(501, 'NotImplemented');
  }
  switch (method) {
    case 'PUT':
      return headers['x-amz-copy-source'] === undefined
        ? put(bucket, target, headers, body)
        : copy(bucket, target, headers);
    case 'GET':
    case 'HEAD':
      return get(bucket, target, headers);
    case 'DELETE':
      if (bucket.objects.get(target)?.lock) throw new S3Error(403, 'AccessDenied');
      bucket.objects.delete(target);
      return { status: 204 };
    default:
      throw new S3Error(405, 'MethodNotAllowed');
  }
}

type Headers = S3Request['headers'];

function put({ objects, now, objectLock }: Bucket, key: string, headers: Headers, bytes: Buffer): S3Answer {
  const condition = headers['if-none-match'];
  if (condition !== undefined && condition !== '*') throw new S3Error(501, 'NotImplemented');
  if (condition === '*' && objects.has(key)) throw new S3Error(412, 'PreconditionFailed');
  const given = Object.entries(checksums).filter(([header]) => headers[header] !== undefined);
  for (const [header, of] of given) if (headers[header] !== of(bytes)) throw new S3Error(400, 'BadDigest');
  const header = given[0]?.[0] ?? 'x-amz-checksum-crc32';
  const etag = `"${createHash('md5').update(bytes).digest('hex')}"`;
  const contentType = headers['content-type'] ?? 'binary/octet-stream';
  const checksum: S3Object['checksum'] = [header, checksums[header]!(bytes)];
  const [mode, until] = [headers['x-amz-object-lock-mode'], headers['x-amz-object-lock-retain-until-date']];
  if (mode !== undefined && (!objectLock || given.length === 0)) throw new S3Error(400, 'InvalidRequest');
  const lock = mode === undefined || until === undefined ? {} : { lock: { mode, until } };
  objects.set(key, { bytes, etag, contentType, modifiedAt: new Date(now()), checksum, ...lock });
  return { status: 200, headers: { etag } };
}

const checksums: Record<string, (bytes: Buffer) => string> = {
  'x-amz-checksum-sha256': (bytes) => createHash('sha256').update(bytes).digest('base64'),
  'x-amz-checksum-crc32': (bytes) => {
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(bytes));
    return sum.toString('base64');
  },
};

function get({ objects }: Bucket, key: string, headers: Headers): S3Answer {
  const object = objects.get(key);
  if (!object) throw new S3Error(404, 'NoSuchKey');
  if (!matches(object, headers['if-match'])) throw new S3Error(412, 'PreconditionFailed');
  const [header, checksum] = object.checksum;
  const fields = {
    etag: object.etag,
    'content-type': object.contentType,
    'last-modified': object.modifiedAt.toUTCString(),
  };
  const { length } = object.bytes;
  const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(headers['range'] ?? '') ?? [];
  if (start !== undefined) {
    const body = object.bytes.subarray(Number(start), Number(end) + 1);
    const contentRange = `bytes ${start}-${Number(start) + body.length - 1}/${length}`;
    return { status: 206, headers: { ...fields, 'content-range': contentRange }, body };
  }
  return {
    status: 200,
    headers: { ...fields, ...(headers['x-amz-checksum-mode'] === 'ENABLED' && { [header]: checksum }) },
    body: object.bytes,
  };
}

function copy({ name, objects, now }: Bucket, key: string, headers: Headers): S3Answer {
  const source = decodeURIComponent(headers['x-amz-copy-source'] ?? '').replace(/^\//, '');
  if (!source.startsWith(`${name}/`)) throw new S3Error(404, 'NoSuchBucket');
  const object = objects.get(source.slice(name.length + 1));
  if (!object) throw new S3Error(404, 'NoSuchKey');
  if (!matches(object, headers['x-amz-copy-source-if-match'])) throw new S3Error(412, 'PreconditionFailed');
  objects.set(key, { ...object, modifiedAt: new Date(now()) });
  const modified = new Date(now()).toISOString();
  return xml(
    `<CopyObjectResult><ETag>${object.etag}</ETag><LastModified>${modified}</LastModified></CopyObjectResult>`,
  );
}

/** RFC 9110 §13.1.1; S3 also accepts the tag without quotes. */
const matches = ({ etag }: S3Object, condition: string | undefined) =>
  condition === undefined || condition === '*' || condition.replaceAll('"', '') === etag.replaceAll('"', '');

function lockOf({ objectLock }: Bucket): S3Answer {
  if (!objectLock) throw new S3Error(404, 'ObjectLockConfigurationNotFoundError');
  const { mode, days } = objectLock;
  const rule =
    mode && `<Rule><DefaultRetention><Mode>${mode}</Mode><Days>${days}</Days></DefaultRetention></Rule>`;
  return xml(
    `<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled>${rule ?? ''}</ObjectLockConfiguration>`,
  );
}

function list({ name, objects, pageSize }: Bucket, query: Record<string, string>): S3Answer {
  if (query['list-type'] !== '2') throw new S3Error(501, 'NotImplemented');
  const { prefix = '', 'start-after': start = '', 'continuation-token': after = start } = query;
  const most = Math.min(Number(query['max-keys'] ?? pageSize), pageSize);
  const rest = [...objects].filter(([key]) => key.startsWith(prefix) && key > after).toSorted();
  const page = rest.slice(0, most);
  const isTruncated = rest.length > page.length;
  const contents = page.map(
    ([key, { bytes, etag, modifiedAt }]) =>
      `<Contents><Key>${key}</Key><LastModified>${modifiedAt.toISOString()}</LastModified><ETag>${etag}</ETag>` +
      `<Size>${bytes.length}</Size><StorageClass>STANDARD</StorageClass></Contents>`,
  );
  return xml(
    `<ListBucketResult><Name>${name}</Name><Prefix>${prefix}</Prefix><KeyCount>${page.length}</KeyCount>` +
      `<MaxKeys>${most}</MaxKeys><IsTruncated>${isTruncated}</IsTruncated>${contents.join('')}` +
      `${isTruncated ? `<NextContinuationToken>${page.at(-1)![0]}</NextContinuationToken>` : ''}</ListBucketResult>`,
  );
}

const xml = (text: string, status = 200): S3Answer => ({
  status,
  headers: { 'content-type': 'application/xml' },
  body: `<?xml version="1.0" encoding="UTF-8"?>\n${text}`,
});

/** The body of a refusal. */
export const errorAnswer = ({ status, code }: S3Error): S3Answer =>
  xml(`<Error><Code>${code}</Code><Message>${code}</Message><RequestId>1</RequestId></Error>`, status);
