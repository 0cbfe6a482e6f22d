import { DecryptCommand, GenerateDataKeyCommand, KMSClient, KMSServiceException } from '@aws-sdk/client-kms';

/** Part of what is encrypted: KMS decrypts a key only when the same is asked, and a policy can require it. */
const CONTEXT = { purpose: 'slay-e-chatapp-master-key' };
/** After failures of the network and of KMS itself, with pauses that grow to seconds. A refusal is final. */
const ATTEMPTS = 8;
const CONNECT_MS = 2_000;
const ANSWER_MS = 5_000;

/** AWS KMS cannot be asked, or refuses. The message has its words. */
export class KmsFailed extends Error {
  override readonly name = 'KmsFailed';
}

function wordsOf(error: unknown): string {
  if (error instanceof KMSServiceException) return `AWS KMS answered ${error.name}: ${error.message}`;
  const { message, code } = error as NodeJS.ErrnoException;
  return `AWS KMS cannot be asked: ${message || code}`;
}

/** Runs calls with a client of its own. Region, endpoint and credentials are those that every AWS SDK finds. */
async function withKms<T>(work: (client: KMSClient) => Promise<T>): Promise<T> {
  const client = new KMSClient({
    maxAttempts: ATTEMPTS,
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      requestTimeout: ANSWER_MS,
      throwOnRequestTimeout: true,
    },
  });
  try {
    return await work(client);
  } catch (error) {
    throw new KmsFailed(wordsOf(error), { cause: error });
  } finally {
    client.destroy();
  }
}

/** Makes a key of 32 bytes. Resolves with it as the KMS key of this id or ARN encrypts it, and in no other form. */
export const makeDataKey = (keyId: string): Promise<Buffer> =>
  withKms(async (client) => {
    const asked = { KeyId: keyId, KeySpec: 'AES_256', EncryptionContext: CONTEXT } as const;
    const { CiphertextBlob } = await client.send(new GenerateDataKeyCommand(asked));
    return Buffer.from(CiphertextBlob!);
  });

/** Resolves with the bytes of a key that `makeDataKey` made. */
export const decryptDataKey = (encrypted: Buffer): Promise<Buffer> =>
  withKms(async (client) => {
    const asked = { CiphertextBlob: encrypted, EncryptionContext: CONTEXT };
    const { Plaintext } = await client.send(new DecryptCommand(asked));
    return Buffer.from(Plaintext!);
  });
