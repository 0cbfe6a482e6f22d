import { createHash, createHmac } from 'node:crypto';

/** A request as received: path and query unmodified, header names in lower case. */
export interface S3Request {
  method: string;
  url: string;
  headers: Record<string, string>;
}
export interface S3Credentials {
  accessKeyId: string;
  secretAccessKey: string;
}

/** Why S3 refuses a request, by the names of its error codes. */
export class S3Error extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string) {
    super(code);
    this.status = status;
    this.code = code;
  }
}

const ALGORITHM = 'AWS4-HMAC-SHA256';
const MAX_SKEW_MS = 15 * 60_000;
const MAX_EXPIRES_SECONDS = 604_800;

interface Claim {
  /** access key/date/region/service/aws4_request */
  credential: string;
  date: string;
  signedHeaders: string;
  signature: string;
  payloadHash: string;
  expiresSeconds?: number;
}

/**
 * Checks Signature Version 4 of a request whose signature is in its Authorization header or in its URL, as
 * Amazon's "Authenticating Requests (AWS Signature Version 4)" describes it. Returns the hash that the body
 * must have, or undefined when the body is not signed. The request is for S3, or for another service whose path is `/`.
 * Throws `S3Error`.
 */
export function checkSignature(
  request: S3Request,
  { accessKeyId, secretAccessKey }: S3Credentials,
  { region, service: expected = 's3', now }: { region: string; service?: string; now: number },
): string | undefined {
  const { path, query } = split(request.url);
  const claim = claimOf(request, query);
  const [keyId, day, claimedRegion, service, kind] = claim.credential.split('/');
  if (keyId !== accessKeyId) throw new S3Error(403, 'InvalidAccessKeyId');
  if (
    claimedRegion !== region ||
    service !== expected ||
    kind !== 'aws4_request' ||
    day !== claim.date.slice(0, 8)
  )
    throw new S3Error(400, 'AuthorizationHeaderMalformed');
  checkTime(claim, now);
  checkSignedHeaders(request, claim);

  const scope = `${day}/${region}/${expected}/aws4_request`;
  const canonical = canonicalRequest(request, { path, query, claim });
  const toSign = [ALGORITHM, claim.date, scope, sha256(canonical)].join('\n');
  const key = [day, region, expected, 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secretAccessKey}`);
  if (hmac(key, toSign).toString('hex') !== claim.signature) throw new S3Error(403, 'SignatureDoesNotMatch');
  return claim.payloadHash === 'UNSIGNED-PAYLOAD' ? undefined : claim.payloadHash;
}

function claimOf({ headers }: S3Request, query: [string, string][]): Claim {
  const asked = Object.fromEntries(query);
  if (asked['X-Amz-Algorithm'] !== undefined) {
    if (asked['X-Amz-Algorithm'] !== ALGORITHM) throw new S3Error(400, 'AuthorizationQueryParametersError');
    return {
      credential: asked['X-Amz-Credential'] ?? '',
      date: asked['X-Amz-Date'] ?? '',
      signedHeaders: asked['X-Amz-SignedHeaders'] ?? '',
      signature: asked['X-Amz-Signature'] ?? '',
      payloadHash: 'UNSIGNED-PAYLOAD',
      expiresSeconds: Number(asked['X-Amz-Expires']),
    };
  }
  const parts =
    /^AWS4-HMAC-SHA256 Credential=([^,]+),\s*SignedHeaders=([^,]+),\s*Signature=([0-9a-f]{64})$/.exec(
      headers['authorization'] ?? '',
    );
  if (!parts) throw new S3Error(403, 'AccessDenied');
  const [, credential = '', signedHeaders = '', signature = ''] = parts;
  const payloadHash = headers['x-amz-content-sha256'];
  if (payloadHash === undefined) throw new S3Error(400, 'InvalidRequest');
  if (!/^(UNSIGNED-PAYLOAD|[0-9a-f]{64})$/.test(payloadHash)) throw new S3Error(501, 'NotImplemented');
  return { credential, date: headers['x-amz-date'] ?? '', signedHeaders, signature, payloadHash };
}

function checkTime({ date, expiresSeconds }: Claim, now: number): void {
  const [, y, mo, d, h, mi, s] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date) ?? [];
  const signedAt = Date.parse(`${y}-${mo}-${d}T${h}:${mi}:${s}Z`);
  if (Number.isNaN(signedAt)) throw new S3Error(403, 'AccessDenied');
  if (expiresSeconds === undefined) {
    if (Math.abs(now - signedAt) > MAX_SKEW_MS) throw new S3Error(403, 'RequestTimeTooSkewed');
    return;
  }
  if (!(expiresSeconds >= 1 && expiresSeconds <= MAX_EXPIRES_SECONDS))
    throw new S3Error(400, 'AuthorizationQueryParametersError');
  const isValid = now >= signedAt - MAX_SKEW_MS && now < signedAt + expiresSeconds * 1_000;
  if (!isValid) throw new S3Error(403, 'AccessDenied');
}

/** Every header that S3 acts on must be signed. */
function checkSignedHeaders({ headers }: S3Request, { signedHeaders }: Claim): void {
  const signed = new Set(signedHeaders.split(';'));
  const mustBeSigned = Object.keys(headers).filter((name) => name === 'host' || name.startsWith('x-amz-'));
  if (mustBeSigned.some((name) => !signed.has(name))) throw new S3Error(403, 'AccessDenied');
}

function canonicalRequest(
  { method, headers }: S3Request,
  { path, query, claim }: { path: string; query: [string, string][]; claim: Claim },
): string {
  const names = claim.signedHeaders.split(';');
  const value = (name: string) => (headers[name] ?? '').trim().replaceAll(/ +/g, ' ');
  return [
    method,
    path.split('/').map(encode).join('/'),
    query
      .filter(([name]) => name !== 'X-Amz-Signature')
      .map(([name, text]) => `${encode(name)}=${encode(text)}`)
      .toSorted()
      .join('&'),
    ...names.map((name) => `${name}:${value(name)}`),
    '',
    claim.signedHeaders,
    claim.payloadHash,
  ].join('\n');
}

/** Decodes the path and the parameters of a URL; a plus stays a plus. */
export function split(url: string): { path: string; query: [string, string][] } {
  const [path = '', search = ''] = url.split('?', 2);
  const query = search.split('&').filter(Boolean);
  const pairs = query.map((pair): [string, string] => {
    const [name = '', ...rest] = pair.split('=');
    return [decodeURIComponent(name), decodeURIComponent(rest.join('='))];
  });
  return { path: decodeURIComponent(path), query: pairs };
}

/** RFC 3986: everything but the unreserved characters. */
const encode = (text: string) =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
