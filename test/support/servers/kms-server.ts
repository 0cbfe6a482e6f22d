import { createCipheriv, createDecipheriv, createHash, randomBytes, randomUUID } from 'node:crypto';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { z } from 'zod';
import { type S3Credentials, S3Error, checkSignature } from './s3-signatures.ts';

const REGION = 'eu-central-1';
const ACCOUNT = 'arn:aws:kms:eu-central-1:111122223333';
const [ID, NONCE, TAG] = [16, 12, 16];

/** Why KMS refuses, by the names of its errors. Some have no words. */
class KmsError extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, message = '', status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

const Context = z.record(z.string(), z.string()).default({});
const Base64 = z.base64().transform((text) => Buffer.from(text, 'base64'));
const Requests = {
  GenerateDataKey: z.strictObject({
    KeyId: z.string().min(1),
    KeySpec: z.literal('AES_256'),
    EncryptionContext: Context,
  }),
  Decrypt: z.strictObject({
    CiphertextBlob: Base64,
    KeyId: z.string().optional(),
    EncryptionContext: Context,
  }),
};
type Action = keyof typeof Requests;
const isAction = (name: string): name is Action => Object.hasOwn(Requests, name);

interface Key {
  arn: string;
  id: Buffer;
  bytes: Buffer;
}

const contextBytes = (context: z.infer<typeof Context>) =>
  Buffer.from(JSON.stringify(Object.entries(context).toSorted()));

function encrypt({ id, bytes }: Key, plaintext: Buffer, context: z.infer<typeof Context>): Buffer {
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv('aes-256-gcm', bytes, nonce).setAAD(contextBytes(context));
  return Buffer.concat([id, nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

function decrypt({ bytes }: Key, blob: Buffer, context: z.infer<typeof Context>): Buffer {
  const nonce = blob.subarray(ID, ID + NONCE);
  const decipher = createDecipheriv('aes-256-gcm', bytes, nonce, { authTagLength: TAG });
  decipher.setAAD(contextBytes(context)).setAuthTag(blob.subarray(-TAG));
  return Buffer.concat([decipher.update(blob.subarray(ID + NONCE, -TAG)), decipher.final()]);
}

/**
 * AWS KMS over HTTP (AWS JSON 1.1), with keys in memory: signatures are checked, blobs are encrypted with the key and for
 * the context, and refusals have the names and forms of KMS.
 */
export async function startKmsServer() {
  const credentials: S3Credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'a secret of the tests' };
  const keys: Key[] = [];
  let allowed: readonly Action[] = ['Decrypt', 'GenerateDataKey'];
  let faults = { error: new Error('cut'), left: 0 };
  const asked: string[] = [];

  function find(keyId: string): Key {
    const found = keys.find(({ arn }) => arn === keyId || arn.endsWith(`:key/${keyId}`));
    if (found) return found;
    const arn = keyId.startsWith('arn:') ? keyId : `${ACCOUNT}:key/${keyId}`;
    throw new KmsError('NotFoundException', `Key '${arn}' does not exist`);
  }

  function allow(action: Action, { arn }: Key): void {
    if (allowed.includes(action)) return;
    throw new KmsError(
      'AccessDeniedException',
      `User: arn:aws:iam::111122223333:user/chat is not authorized to perform: kms:${action} on resource: ${arn} because no identity-based policy allows the kms:${action} action`,
    );
  }

  const perform = {
    GenerateDataKey(body: unknown) {
      const { KeyId, EncryptionContext } = parsed(Requests.GenerateDataKey, body);
      const key = find(KeyId);
      allow('GenerateDataKey', key);
      const plaintext = randomBytes(32);
      const blob = encrypt(key, plaintext, EncryptionContext);
      return {
        KeyId: key.arn,
        CiphertextBlob: blob.toString('base64'),
        Plaintext: plaintext.toString('base64'),
      };
    },
    Decrypt(body: unknown) {
      const { CiphertextBlob: blob, KeyId, EncryptionContext } = parsed(Requests.Decrypt, body);
      const key = keys.find(({ id }) => id.equals(blob.subarray(0, ID)));
      if (!key || blob.length < ID + NONCE + TAG) throw new KmsError('InvalidCiphertextException');
      if (KeyId !== undefined && find(KeyId) !== key)
        throw new KmsError(
          'IncorrectKeyException',
          'The key ID in the request does not identify a CMK that can perform this operation.',
        );
      allow('Decrypt', key);
      let plaintext;
      try {
        plaintext = decrypt(key, blob, EncryptionContext);
      } catch {
        throw new KmsError('InvalidCiphertextException');
      }
      return {
        KeyId: key.arn,
        Plaintext: plaintext.toString('base64'),
        EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      };
    },
  } satisfies Record<Action, (body: unknown) => object>;

  function check({ method = '', url = '', headers: given }: IncomingMessage, bytes: Buffer): void {
    const headers = Object.fromEntries(
      Object.entries(given).map(([name, value]) => [name, [value].flat().join(',')]),
    );
    if (!headers['authorization']?.startsWith('AWS4-HMAC-SHA256 '))
      throw new KmsError('MissingAuthenticationTokenException', 'Missing Authentication Token');
    try {
      const scope = { region: REGION, service: 'kms', now: Date.now() };
      const hash = checkSignature({ method, url, headers }, credentials, scope);
      if (hash === createHash('sha256').update(bytes).digest('hex')) return;
    } catch (error) {
      if (!(error instanceof S3Error)) throw error;
      if (error.code === 'InvalidAccessKeyId')
        throw new KmsError(
          'UnrecognizedClientException',
          'The security token included in the request is invalid.',
        );
    }
    throw new KmsError(
      'InvalidSignatureException',
      'The request signature we calculated does not match the signature you provided.',
    );
  }

  async function answer(incoming: IncomingMessage): Promise<object> {
    const bytes = await buffer(incoming);
    const [service, action = ''] = String(incoming.headers['x-amz-target']).split('.');
    asked.push(action);
    if (faults.left > 0) {
      faults.left -= 1;
      throw faults.error;
    }
    check(incoming, bytes);
    const isKnown = service === 'TrentService' && isAction(action) && incoming.method === 'POST';
    if (!isKnown || incoming.headers['content-type'] !== 'application/x-amz-json-1.1')
      throw new KmsError('UnknownOperationException');
    return perform[action](JSON.parse(bytes.toString()));
  }

  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const send = (status: number, body: object) =>
      outgoing
        .writeHead(status, {
          'content-type': 'application/x-amz-json-1.1',
          'x-amzn-requestid': randomUUID(),
        })
        .end(JSON.stringify(body));
    try {
      send(200, await answer(incoming));
    } catch (error) {
      if (!(error instanceof KmsError)) outgoing.destroy();
      else send(error.status, { __type: error.code, ...(error.message && { message: error.message }) });
    }
  }

  const server = createServer((incoming, outgoing) => void serve(incoming, outgoing));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  return {
    /** What an AWS SDK reads from the environment to find this server. */
    env: {
      AWS_REGION: REGION,
      AWS_ENDPOINT_URL_KMS: `http://127.0.0.1:${port}`,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    },
    /** Creates a key. Returns its ARN. */
    createKey(): string {
      const id = randomUUID();
      const key = { id: Buffer.from(id.replaceAll('-', ''), 'hex'), bytes: randomBytes(32) };
      const arn = `${ACCOUNT}:key/${id}`;
      keys.push({ ...key, arn });
      return arn;
    },
    /** Encrypts bytes with a key, like its owner does. */
    encrypt: (arn: string, plaintext: Buffer, context: Record<string, string>) =>
      encrypt(find(arn), plaintext, context),
    /** The actions of all requests so far. */
    asked: () => [...asked],
    /** Allows these actions and no others. */
    allow: (...actions: Action[]) => void (allowed = actions),
    /** Answers the next requests like a KMS that fails. */
    fail: (left: number) =>
      void (faults = {
        error: new KmsError('KMSInternalException', 'An internal error occurred', 500),
        left,
      }),
    /** Breaks the connections of the next requests. */
    cut: (left: number) => void (faults = { error: new Error('cut'), left }),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
export type KmsServer = Awaited<ReturnType<typeof startKmsServer>>;

function parsed<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body);
  if (!result.success) throw new KmsError('ValidationException', z.prettifyError(result.error));
  return result.data;
}
