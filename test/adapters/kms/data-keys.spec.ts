import { randomBytes } from 'node:crypto';
import { KMSClient, DecryptCommand } from '@aws-sdk/client-kms';
import { decryptDataKey, makeDataKey } from '../../../src/adapters/kms/data-keys.ts';
import { kmsStage } from '../../support/stages/kms-stage.ts';
import { freePort } from '../../../tools/server-process.ts';

let kms: Awaited<ReturnType<typeof kmsStage>>;
let keyId: string;
beforeEach(async () => {
  kms = await kmsStage();
  keyId = kms.createKey();
});
afterEach(() => kms.stop());

describe('a key that AWS KMS makes', () => {
  test.each(['ARN', 'id'])('is decrypted to the same 32 bytes each time, whether named by %s', async (by) => {
    const made = await makeDataKey(by === 'id' ? keyId.split('/')[1]! : keyId);
    const bytes = await decryptDataKey(made);
    expect(bytes).toHaveLength(32);
    expect(await decryptDataKey(made)).toEqual(bytes);
    expect(made.includes(bytes)).toBe(false);
    expect(await makeDataKey(keyId)).not.toEqual(made);
  });

  test('is bound to its purpose', async () => {
    const made = await makeDataKey(keyId);
    const client = new KMSClient();
    await expect(client.send(new DecryptCommand({ CiphertextBlob: made }))).rejects.toMatchObject({
      name: 'InvalidCiphertextException',
    });
    client.destroy();
    const foreign = kms.encrypt(keyId, randomBytes(32), { purpose: 'payroll' });
    await expect(decryptDataKey(foreign)).rejects.toThrow('AWS KMS answered InvalidCiphertextException');
  });
});

describe('a refusal of AWS KMS', () => {
  const failed = (message: RegExp) => ({
    name: 'KmsFailed',
    message: expect.stringMatching(message) as string,
  });

  test('to decrypt is final, and told in its words', async () => {
    const made = await makeDataKey(keyId);
    kms.allow('GenerateDataKey');
    await expect(decryptDataKey(made)).rejects.toMatchObject(
      failed(/^AWS KMS answered AccessDeniedException: User: .* not authorized to perform: kms:Decrypt/),
    );
    expect(kms.asked()).toEqual(['GenerateDataKey', 'Decrypt']);
  });

  test('of bytes that it did not encrypt is final', async () => {
    for (const bytes of [randomBytes(100), Buffer.from([1])])
      await expect(decryptDataKey(bytes)).rejects.toMatchObject(failed(/InvalidCiphertextException/));
    const changed = await makeDataKey(keyId);
    changed[changed.length - 20]! ^= 1;
    await expect(decryptDataKey(changed)).rejects.toMatchObject(failed(/InvalidCiphertextException/));
    expect(kms.asked()).toEqual(['Decrypt', 'Decrypt', 'GenerateDataKey', 'Decrypt']);
  });

  test('of a key that does not exist names it', async () => {
    await expect(makeDataKey('8f1b')).rejects.toMatchObject(
      failed(/^AWS KMS answered NotFoundException: Key '.*8f1b' does not exist$/),
    );
    expect(kms.asked()).toHaveLength(1);
  });

  test('of a wrong signature is final', async () => {
    process.env['AWS_SECRET_ACCESS_KEY'] = 'another secret';
    await expect(makeDataKey(keyId)).rejects.toMatchObject(failed(/InvalidSignatureException/));
    expect(kms.asked()).toHaveLength(1);
  });
});

describe('while AWS KMS fails', () => {
  test.each(['fail', 'cut'] as const)('it is asked again: %s', async (fault) => {
    kms[fault](3);
    const made = await makeDataKey(keyId);
    expect(kms.asked()).toHaveLength(4);
    expect(await decryptDataKey(made)).toHaveLength(32);
  });

  test('it is asked a few times', async () => {
    kms.fail(Infinity);
    await expect(makeDataKey(keyId)).rejects.toThrow(
      'AWS KMS answered KMSInternalException: An internal error occurred',
    );
    expect(kms.asked()).toHaveLength(8);
  }, 30_000);

  test('or is not there, the error says why', async () => {
    process.env['AWS_ENDPOINT_URL_KMS'] = `http://127.0.0.1:${await freePort()}`;
    await expect(makeDataKey(keyId)).rejects.toThrow(/^AWS KMS cannot be asked: .*connect ECONNREFUSED/);
  }, 30_000);

  test('for want of a region, the error says so', async () => {
    delete process.env['AWS_REGION'];
    await expect(makeDataKey(keyId)).rejects.toThrow('AWS KMS cannot be asked: Region is missing');
  });
});
