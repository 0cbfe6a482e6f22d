import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { RefusalReason, Sha256, fileEvents } from '../../events/file.ts';
import { text } from '../../events/text.ts';
import type { Finding } from './finding.ts';

const { etag } = fileEvents.FileUploaded.shape;
const { contentType, size, sha256 } = fileEvents.FileUploadRequested.shape;
const key = z.templateLiteral(['quarantine/', z.uuid()]);

/** What a scanner elsewhere asks about an object before it looks at it. */
export const ScanOrderRequest = z.strictObject({ key, etag }).meta({
  id: 'ScanOrderRequest',
  example: {
    key: 'quarantine/0199f5a0-3b1c-7c2e-9d4f-5a6b7c8d9e0f',
    etag: '9b2cf535f27731c974343645a3985328',
  },
});
export type ScanOrderRequest = z.infer<typeof ScanOrderRequest>;
/** What the uploader declared, and the object has to be. */
export const ScanOrder = z.strictObject({ size, contentType, sha256 }).meta({ id: 'ScanOrder' });
export type ScanOrder = z.infer<typeof ScanOrder>;

/** What it found in that version of the object. */
const Cleared = z
  .strictObject({
    verdict: z.literal('cleared'),
    sha256: Sha256,
    contentType: contentType.optional(),
  })
  .meta({ id: 'ScanCleared' });
const Refused = z
  .strictObject({
    verdict: z.literal('refused'),
    reason: RefusalReason.exclude(['never-completed', 'never-sent', 'erased']),
    signature: text(1, 200).nullable(),
  })
  .meta({ id: 'ScanRefused' });
export const ScanReport = z
  .strictObject({
    key,
    etag,
    finding: z.discriminatedUnion('verdict', [Cleared, Refused]) satisfies z.ZodType<Finding>,
  })
  .meta({
    id: 'ScanReport',
    example: {
      key: 'quarantine/0199f5a0-3b1c-7c2e-9d4f-5a6b7c8d9e0f',
      etag: '9b2cf535f27731c974343645a3985328',
      finding: { verdict: 'refused', reason: 'infected', signature: 'Eicar-Test-Signature' },
    },
  });
export type ScanReport = z.infer<typeof ScanReport>;

export const SCAN_HEADERS = {
  timestamp: 'x-scan-timestamp',
  nonce: 'x-scan-nonce',
  signature: 'x-scan-signature',
} as const;

/** Maximum difference between both clocks, and longest time that a message may take. */
const TOLERANCE_SECONDS = 300;
/** Longer than a signature is accepted: from 5 minutes before the server's time until 5 minutes after it. */
export const NONCES_KEPT_SECONDS = 900;

/** The port that remembers spent nonces. */
export interface Nonces {
  /** Resolves with false when the nonce was spent before. Keeps it for at least `NONCES_KEPT_SECONDS`. */
  spend(nonce: string): Promise<boolean>;
}

const mac = (secret: string, timestamp: string, nonce: string, body: string | Uint8Array): Buffer =>
  createHmac('sha256', secret).update(`${timestamp}.${nonce}.`).update(body).digest();

/**
 * Returns the headers that sign a body: HMAC-SHA-256 over `timestamp.nonce.body`. `timestamp` is in seconds
 * since 1970. The nonce, 16 to 64 characters of base64url, must be new each time, also when the same body is
 * sent again.
 */
export function signReport(
  secret: string,
  body: string | Uint8Array,
  { timestamp, nonce }: { timestamp: number; nonce: string },
): Record<string, string> {
  const seconds = String(timestamp);
  return {
    [SCAN_HEADERS.timestamp]: seconds,
    [SCAN_HEADERS.nonce]: nonce,
    [SCAN_HEADERS.signature]: `v1=${mac(secret, seconds, nonce, body).toString('hex')}`,
  };
}

const Signed = z.object({
  [SCAN_HEADERS.timestamp]: z.string().regex(/^\d{1,12}$/),
  [SCAN_HEADERS.nonce]: z.string().regex(/^[A-Za-z0-9_-]{16,64}$/),
  [SCAN_HEADERS.signature]: z.string().regex(/^v1=[0-9a-f]{64}$/),
});

/**
 * Resolves with true if these bytes were signed with one of the secrets, within 5 minutes of `now` (in ms) either
 * way, and arrive for the first time. Compares in constant time. A nonce is spent only once everything else
 * holds.
 */
export async function verifyReport(
  secrets: readonly string[],
  { headers, body }: { headers: Readonly<Record<string, unknown>>; body: Uint8Array },
  { nonces, now }: { nonces: Nonces; now: number },
): Promise<boolean> {
  const signed = Signed.safeParse(headers);
  if (!signed.success) return false;
  const timestamp = signed.data[SCAN_HEADERS.timestamp];
  const nonce = signed.data[SCAN_HEADERS.nonce];
  const signature = Buffer.from(signed.data[SCAN_HEADERS.signature].slice('v1='.length), 'hex');
  const isSignedWith = (secret: string) => timingSafeEqual(signature, mac(secret, timestamp, nonce, body));
  if (!secrets.some(isSignedWith)) return false;
  if (Math.abs(now / 1000 - Number(timestamp)) > TOLERANCE_SECONDS) return false;
  return nonces.spend(nonce);
}
