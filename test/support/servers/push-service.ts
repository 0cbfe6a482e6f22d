import { createDecipheriv, createECDH, hkdfSync, randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { importJWK, jwtVerify } from 'jose';
import type { PushPayload, PushSubscription } from '../../../src/notifications/deliver/pusher.ts';
import { certificate, certificateKey } from './certificate.ts';

/** A push as the browser receives it. */
export interface ReceivedPush {
  endpoint: string;
  payload: PushPayload;
  ttl: number;
  urgency: string;
  topic: string;
  /** `sub` of the sender's token. */
  sender: string;
}

interface Browser {
  keys: ReturnType<typeof createECDH>;
  auth: Buffer;
}

const derive = (salt: Buffer, secret: Buffer, info: Buffer, length: number) =>
  Buffer.from(hkdfSync('sha256', secret, salt, info, length));

/**
 * Decrypts a body in the coding aes128gcm (RFC 8188, with the keys of RFC 8291) of one record, like a
 * browser.
 */
function decrypt(body: Buffer, { keys, auth }: Browser): Buffer {
  const salt = body.subarray(0, 16);
  const senderKey = body.subarray(21, 21 + body.readUInt8(20));
  const info = Buffer.concat([Buffer.from('WebPush: info\0'), keys.getPublicKey(), senderKey]);
  const secret = derive(auth, keys.computeSecret(senderKey), info, 32);
  const key = derive(salt, secret, Buffer.from('Content-Encoding: aes128gcm\0'), 16);
  const nonce = derive(salt, secret, Buffer.from('Content-Encoding: nonce\0'), 12);
  const record = body.subarray(21 + senderKey.length);
  const decipher = createDecipheriv('aes-128-gcm', key, nonce).setAuthTag(record.subarray(-16));
  const padded = Buffer.concat([decipher.update(record.subarray(0, -16)), decipher.final()]);
  return padded.subarray(0, padded.lastIndexOf(2));
}

/**
 * A push service like those of browser vendors, over real HTTPS: it accepts a push only if the sender's token
 * (VAPID, RFC 8292) is signed with the key of the subscription and meant for this service, and decrypts it
 * like the browser does. Clients must trust `certificate`.
 */
export async function startPushService({ vapidPublicKey }: { vapidPublicKey: string }) {
  const browsers = new Map<string, Browser>();
  const pushes: ReceivedPush[] = [];
  let requests = 0;
  let answerWith: ((response: ServerResponse) => void) | undefined;

  async function senderOf(authorization: string, audience: string): Promise<string> {
    const [, token = '', key = ''] = /^vapid t=([^,]+), ?k=(.+)$/.exec(authorization) ?? [];
    if (key !== vapidPublicKey) throw new Error('another sender than the browser subscribed to');
    const point = Buffer.from(key, 'base64url');
    const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) => half.toString('base64url'));
    const jwk = await importJWK({ kty: 'EC', crv: 'P-256', x: x!, y: y! }, 'ES256');
    const options = { algorithms: ['ES256'], audience, requiredClaims: ['exp', 'sub'] };
    const { payload } = await jwtVerify(token, jwk, options);
    if (payload.exp! * 1_000 > Date.now() + 86_400_000) throw new Error('valid for more than 24 hours');
    return payload.sub!;
  }

  async function take(request: IncomingMessage): Promise<ReceivedPush> {
    const { headers, url = '' } = request;
    const origin = `https://${headers.host}`;
    const browser = browsers.get(url);
    if (request.method !== 'POST' || !browser) throw new Error('no such subscription');
    if (headers['content-encoding'] !== 'aes128gcm') throw new Error('another coding');
    const body = await buffer(request);
    if (body.length > 4_096) throw new Error('larger than what has to be taken');
    return {
      endpoint: origin + url,
      payload: JSON.parse(decrypt(body, browser).toString()) as PushPayload,
      ttl: Number(headers['ttl']),
      urgency: String(headers['urgency']),
      topic: String(headers['topic']),
      sender: await senderOf(headers.authorization ?? '', origin),
    };
  }

  const server = createServer({ cert: certificate, key: certificateKey }, (request, response) => {
    requests += 1;
    take(request).then(
      (push) => {
        if (answerWith) return answerWith(response);
        pushes.push(push);
        response.writeHead(201).end();
      },
      (error: unknown) => response.writeHead(400).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  return {
    port,
    /** The accepted pushes, in order. */
    pushes,
    /** The number of requests, accepted or not. */
    requests: () => requests,
    /** Makes a subscription at 127.0.0.1, optionally by another host name. */
    subscribe(host = '127.0.0.1'): PushSubscription {
      const keys = createECDH('prime256v1');
      const auth = randomBytes(16);
      const path = `/push/${randomUUID()}`;
      const p256dh = keys.generateKeys('base64url');
      browsers.set(path, { keys, auth });
      return {
        endpoint: `https://${host}:${port}${path}`,
        keys: { p256dh, auth: auth.toString('base64url') },
      };
    },
    /** Answers valid pushes with this status from now on, without storing them. */
    answer(status: number, headers: Record<string, string> = {}) {
      answerWith = (response) => response.writeHead(status, headers).end('no');
    },
    hang() {
      answerWith = () => {};
    },
    /** Sends an endless answer. */
    babble() {
      answerWith = (response) => {
        response.writeHead(201);
        const more = () => {
          if (response.destroyed) return;
          response.write('x'.repeat(65_536));
          setImmediate(more);
        };
        more();
      };
    },
    works() {
      answerWith = undefined;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export type PushService = Awaited<ReturnType<typeof startPushService>>;
