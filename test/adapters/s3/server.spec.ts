import { type S3Error, type S3Request, checkSignature } from '../../support/servers/s3-signatures.ts';

/**
 * The keys, bucket and time of the examples in Amazon's "Authenticating Requests (AWS Signature Version 4)".
 */
const credentials = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};
const at = { region: 'us-east-1', now: Date.parse('2013-05-24T00:00:00Z') };
const host = 'examplebucket.s3.amazonaws.com';
const NOTHING = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const scope = '20130524/us-east-1/s3/aws4_request';

const signed = (
  method: string,
  url: string,
  { names, signature, ...headers }: Record<string, string>,
): S3Request => ({
  method,
  url,
  headers: {
    host,
    'x-amz-content-sha256': NOTHING,
    'x-amz-date': '20130524T000000Z',
    ...headers,
    authorization: `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope},SignedHeaders=${names},Signature=${signature}`,
  },
});

const getObject = signed('GET', '/test.txt', {
  range: 'bytes=0-9',
  names: 'host;range;x-amz-content-sha256;x-amz-date',
  signature: 'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
});
const putObject = signed('PUT', '/test%24file.text', {
  date: 'Fri, 24 May 2013 00:00:00 GMT',
  'x-amz-storage-class': 'REDUCED_REDUNDANCY',
  'x-amz-content-sha256': '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
  names: 'date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class',
  signature: '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
});
const names = 'host;x-amz-content-sha256;x-amz-date';
const getLifecycle = signed('GET', '/?lifecycle', {
  names,
  signature: 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
});
const listObjects = signed('GET', '/?max-keys=2&prefix=J', {
  names,
  signature: '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
});
const presigned = (signature: string): S3Request => ({
  method: 'GET',
  url:
    '/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request' +
    `&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=${signature}`,
  headers: { host },
});
const getPresigned = presigned('aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404');

const refusal = (request: S3Request, now = at.now) => {
  try {
    checkSignature(request, credentials, { ...at, now });
  } catch (error) {
    return (error as S3Error).code;
  }
  return 'none';
};

describe('the S3 test server', () => {
  test.each([
    ['GET Object', getObject, NOTHING],
    ['PUT Object', putObject, '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072'],
    ['GET Bucket Lifecycle', getLifecycle, NOTHING],
    ['Get Bucket (List Objects)', listObjects, NOTHING],
    ['a presigned URL', getPresigned, undefined],
  ])('accepts the signature that Amazon publishes for %s', (_what, request, hash) => {
    expect(checkSignature(request, credentials, at)).toBe(hash);
  });

  test('refuses a request that was changed after signing', () => {
    const changed: S3Request[] = [
      { ...getObject, method: 'HEAD' },
      { ...getObject, url: '/test.txt2' },
      { ...getObject, headers: { ...getObject.headers, range: 'bytes=0-10' } },
      { ...getObject, headers: { ...getObject.headers, host: 'otherbucket.s3.amazonaws.com' } },
      { ...listObjects, url: '/?max-keys=3&prefix=J' },
      { ...getPresigned, url: getPresigned.url.replace('86400', '86401') },
      presigned('0'.repeat(64)),
    ];
    expect(changed.map((request) => refusal(request))).toStrictEqual(
      changed.map(() => 'SignatureDoesNotMatch'),
    );
  });

  test('refuses a signature that is too old or has expired', () => {
    expect(refusal(getObject, at.now + 16 * 60_000)).toBe('RequestTimeTooSkewed');
    expect(refusal(getPresigned, at.now + 86_399_000)).toBe('none');
    expect(refusal(getPresigned, at.now + 86_400_000)).toBe('AccessDenied');
  });

  test('refuses a request that is unsigned or signed with an unknown key', () => {
    expect(refusal({ method: 'GET', url: '/test.txt', headers: { host } })).toBe('AccessDenied');
    const stranger = getObject.headers['authorization']!.replace('AKIAIOSFODNN7EXAMPLE', 'AKIASTRANGER');
    expect(refusal({ ...getObject, headers: { ...getObject.headers, authorization: stranger } })).toBe(
      'InvalidAccessKeyId',
    );
  });

  test('refuses amz headers that are not signed', () => {
    const headers = { ...getPresigned.headers, 'x-amz-copy-source': 'examplebucket/other' };
    expect(refusal({ ...getPresigned, headers })).toBe('AccessDenied');
  });
});
