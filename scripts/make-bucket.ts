import {
  CreateBucketCommand,
  HeadBucketCommand,
  PutBucketCorsCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { BadConfig, type Config, readConfig } from '../src/config.ts';
import { s3Clients, statusOf } from '../src/adapters/s3/client.ts';

const USAGE = `Usage: S3_BUCKET=… node scripts/make-bucket.ts

Makes the bucket of S3_BUCKET unless it is there, and lets the pages of PUBLIC_URL and ALLOWED_ORIGINS upload to it. It
takes the settings of the server; the credentials need s3:CreateBucket and s3:PutBucketCORS besides. Again does no harm.
`;
/** The timeout of one attempt of one call. */
const ANSWER_MS = 10_000;
/** The time for which browsers may cache the answer to a preflight request. */
const CORS_SECONDS = 3_600;

const say = (line: string) => void process.stdout.write(`${line}\n`);

/** Creates the bucket unless it exists. Rejects when it belongs to another account. */
async function makeBucket(client: S3Client, { bucket, region }: NonNullable<Config['s3']>): Promise<void> {
  try {
    await client.send(new HeadBucketCommand({ Bucket: bucket }));
    return say(`the bucket ${bucket} is there`);
  } catch (error) {
    if (statusOf(error) !== 404) throw error;
  }
  // Amazon rejects the name of its first region, and requires that of every other.
  const elsewhere = region !== 'us-east-1' && { LocationConstraint: region as 'eu-central-1' };
  try {
    await client.send(
      new CreateBucketCommand({
        Bucket: bucket,
        ...(elsewhere && { CreateBucketConfiguration: elsewhere }),
      }),
    );
  } catch (error) {
    if ((error as Error).name !== 'BucketAlreadyOwnedByYou') throw error;
  }
  say(`made the bucket ${bucket}`);
}

/** The headers of an upload that a page must be allowed to send (src/files/storage.ts). */
async function allowUploads(client: S3Client, bucket: string, origins: string[]): Promise<void> {
  await client.send(
    new PutBucketCorsCommand({
      Bucket: bucket,
      CORSConfiguration: {
        CORSRules: [
          {
            AllowedOrigins: origins,
            AllowedMethods: ['PUT'],
            AllowedHeaders: ['content-type', 'if-none-match', 'x-amz-checksum-sha256'],
            MaxAgeSeconds: CORS_SECONDS,
          },
        ],
      },
    }),
  );
  say(`pages may upload from ${origins.join(', ')}`);
}

async function main(): Promise<void> {
  const { s3, publicUrl, allowedOrigins } = readConfig(process.env);
  if (!s3) throw new BadConfig(['S3_BUCKET must be set', USAGE]);
  const { clientOf, close } = s3Clients(s3, { answerMs: ANSWER_MS, credentials: undefined });
  const client = clientOf(s3.pathStyle ?? true);
  const own = publicUrl === undefined ? [] : [new URL(publicUrl).origin];
  const origins = [...new Set([...own, ...allowedOrigins])];
  try {
    await makeBucket(client, s3);
    if (origins.length > 0) await allowUploads(client, s3.bucket, origins);
  } finally {
    close();
  }
}

main().catch((error: unknown) => {
  const status = statusOf(error);
  const { name, message } = error as Error;
  process.stderr.write(status === undefined ? `${message}\n` : `S3 refuses: ${status} ${name}\n`);
  process.exitCode = 1;
});
