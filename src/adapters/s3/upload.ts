import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { UPLOAD_SECONDS, type UploadTarget } from '../../files/storage.ts';

/** Presigning moves every x-amz- header into the URL, where S3 would not check the bytes against it. */
const CHECKSUM_HEADER = 'x-amz-checksum-sha256';

/**
 * Returns a URL that takes exactly `size` bytes of that type. With `once` S3 refuses to overwrite, with
 * `sha256` it refuses other bytes.
 */
export async function presignPut(
  presigner: S3Client,
  {
    bucket,
    key,
    contentType,
    size,
    sha256,
    once,
  }: {
    bucket: string;
    key: string;
    contentType: string;
    size: number;
    /** In hexadecimal. */
    sha256: string | null;
    once: boolean;
  },
): Promise<UploadTarget> {
  const signingDate = new Date();
  const checksum = sha256 === null ? undefined : Buffer.from(sha256, 'hex').toString('base64');
  const command = new PutObjectCommand({
    Bucket: bucket,
    Key: key,
    ContentType: contentType,
    ContentLength: size,
    ...(once && { IfNoneMatch: '*' }),
    ...(checksum !== undefined && { ChecksumSHA256: checksum }),
  });
  const url = await getSignedUrl(presigner, command, {
    expiresIn: UPLOAD_SECONDS,
    signingDate,
    signableHeaders: new Set(['host', 'content-type', 'content-length', 'if-none-match', CHECKSUM_HEADER]),
    unhoistableHeaders: new Set([CHECKSUM_HEADER]),
  });
  return {
    method: 'PUT',
    url,
    headers: {
      'content-type': contentType,
      ...(once && { 'if-none-match': '*' }),
      ...(checksum !== undefined && { [CHECKSUM_HEADER]: checksum }),
    },
    expiresAt: new Date(signingDate.getTime() + UPLOAD_SECONDS * 1_000).toISOString(),
  };
}
