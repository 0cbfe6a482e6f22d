import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { FileId } from '../../src/events/ids.ts';
import {
  type FileStorage,
  ObjectChanged,
  type StorageKey,
  type UploadTarget,
  storageKey,
} from '../../src/files/storage.ts';

/** A storage to test, with the server that receives its uploads. */
export interface StorageStage {
  storage: FileStorage;
  /** The origin at which clients reach this server. */
  origin: string;
  /** Advances the clock that checks the upload URLs. */
  passTime(ms: number): void;
}

/** Checks that the receiver of uploads may lack; then `seal` and the inspection make them. */
export interface StorageAbilities {
  keepsFirst: boolean;
  checksSha256: boolean;
}

export const newFileId = () => FileId.parse(randomUUID());
export const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
export const upload = ({ url, method, headers }: UploadTarget, bytes: Uint8Array, more = {}) =>
  fetch(url, { method, headers: { ...headers, ...more }, body: new Uint8Array(bytes) });

const MIB = 1_048_576;
/** The chunks in transit plus uncollected garbage: less than half of the object. */
const FLAT_BYTES = 12 * MIB;

/** The contract of every storage; `current` returns the one of the running test. */
export function describeStorage(
  current: () => StorageStage,
  { keepsFirst, checksSha256 }: StorageAbilities = { keepsFirst: true, checksSha256: true },
): void {
  const ask = (fileId: FileId, bytes: Uint8Array, more: { sha256?: string; contentType?: string } = {}) =>
    current().storage.presignUpload({
      fileId,
      contentType: 'application/pdf',
      size: bytes.length,
      sha256: null,
      origin: current().origin,
      ...more,
    });
  const uploaded = async (bytes: Uint8Array, fileId = newFileId()) => {
    const response = await upload(await ask(fileId, bytes), bytes);
    expect(response.status).toBe(200);
    const key = storageKey('quarantine', fileId);
    const { etag } = (await current().storage.seal(fileId))!;
    return { fileId, key, etag };
  };
  const bytesOf = async (key: StorageKey, version?: { etag: string }) =>
    buffer((await current().storage.read(key, version)).body);

  test('accepts bytes at its URL and with its headers, into quarantine', async () => {
    const bytes = randomBytes(100_000);
    const fileId = newFileId();
    const before = Date.now();
    const target = await ask(fileId, bytes);
    const after = Date.now();
    expect(target.method).toBe('PUT');
    // S3 reports whole seconds.
    expect(Date.parse(target.expiresAt)).toBeGreaterThan(before + 298_000);
    expect(Date.parse(target.expiresAt)).toBeLessThan(after + 302_000);

    const response = await upload(target, bytes);
    expect(response.status).toBe(200);
    const { storage } = current();
    const key = storageKey('quarantine', fileId);
    const stat = await storage.seal(fileId);
    expect(await storage.stat(key)).toEqual(stat);
    expect(stat).toMatchObject({ size: 100_000, etag: expect.stringMatching(/^[^"]+$/) });
    expect(response.headers.get('etag')).toBe(`"${stat?.etag}"`);
    const { size, body } = await storage.read(key, { etag: stat!.etag });
    expect(size).toBe(100_000);
    expect((await buffer(body)).equals(bytes)).toBe(true);
  });

  test('accepts bytes with a declared SHA-256', async () => {
    const bytes = randomBytes(1_000);
    const target = await ask(newFileId(), bytes, { sha256: sha256(bytes) });
    expect((await upload(target, bytes)).status).toBe(200);
  });

  test('never replaces what was uploaded', async () => {
    const first = randomBytes(1_000);
    const { fileId, key } = await uploaded(first);
    const second = randomBytes(1_000);
    expect((await upload(await ask(fileId, second), second)).status).toBe(keepsFirst ? 412 : 200);
    expect(await current().storage.seal(fileId)).toEqual(await current().storage.stat(key));
    expect((await bytesOf(key)).equals(first)).toBe(true);
  });

  test('seals nothing before an upload, and once after it', async () => {
    const { storage } = current();
    expect(await storage.seal(newFileId())).toBeUndefined();
    const { fileId, key } = await uploaded(randomBytes(100));
    const sealed = await storage.stat(key);
    expect(await Promise.all([storage.seal(fileId), storage.seal(fileId)])).toEqual([sealed, sealed]);
    await storage.remove([key]);
    expect(await storage.seal(fileId)).toBeUndefined();
  });

  test('keeps one of two concurrent uploads, complete', async () => {
    const fileId = newFileId();
    const both = [randomBytes(300_000), randomBytes(300_000)];
    const target = await ask(fileId, both[0]!);
    const answers = await Promise.allSettled(both.map(async (bytes) => (await upload(target, bytes)).status));
    const won = answers.findIndex((answer) => answer.status === 'fulfilled' && answer.value === 200);
    if (keepsFirst)
      expect(answers.filter((answer) => answer.status === 'fulfilled' && answer.value === 200)).toHaveLength(
        1,
      );
    await current().storage.seal(fileId);
    const kept = await bytesOf(storageKey('quarantine', fileId));
    expect(keepsFirst ? [both[won]!] : both).toContainEqual(kept);
  });

  describe('refuses', () => {
    const bytes = randomBytes(1_000);
    const expectRefused = async (fileId: FileId, response: Response) => {
      expect(response.status).toBeGreaterThanOrEqual(400);
      expect(response.status).toBeLessThan(500);
      expect(await current().storage.seal(fileId)).toBeUndefined();
    };

    test.each([
      ['fewer bytes than were asked for', bytes.subarray(1)],
      ['more bytes than were asked for', Buffer.concat([bytes, bytes])],
    ])('%s', async (_what, sent) => {
      const fileId = newFileId();
      await expectRefused(fileId, await upload(await ask(fileId, bytes), sent));
    });

    test('another type', async () => {
      const fileId = newFileId();
      const response = await upload(await ask(fileId, bytes), bytes, { 'content-type': 'text/html' });
      await expectRefused(fileId, response);
    });

    if (checksSha256)
      test('other bytes than those of the declared SHA-256', async () => {
        const fileId = newFileId();
        const other = randomBytes(1_000);
        await expectRefused(fileId, await upload(await ask(fileId, bytes, { sha256: sha256(bytes) }), other));
      });

    test('a URL made for another file', async () => {
      const [fileId, other] = [newFileId(), newFileId()];
      const target = await ask(fileId, bytes);
      const url = target.url.replace(fileId, other);
      await expectRefused(other, await upload({ ...target, url }, bytes));
    });

    test('a URL that was changed', async () => {
      const fileId = newFileId();
      const target = await ask(fileId, bytes);
      const last = target.url.at(-1) === 'A' ? 'B' : 'A';
      for (const url of [`${target.url.slice(0, -1)}${last}`, target.url.split('?')[0]!])
        await expectRefused(fileId, await upload({ ...target, url }, bytes));
    });

    test('a URL that has expired', async () => {
      const fileId = newFileId();
      const target = await ask(fileId, bytes);
      current().passTime(301_000);
      await expectRefused(fileId, await upload(target, bytes));
      current().passTime(-301_000);
    });
  });

  test('distinguishes other bytes under the same key by their etag', async () => {
    const { storage } = current();
    const { fileId, key, etag } = await uploaded(randomBytes(1_000));
    await storage.remove([key]);
    const other = await uploaded(randomBytes(1_000), fileId);
    expect(other.etag).not.toBe(etag);
    await expect(storage.read(key, { etag })).rejects.toThrow(ObjectChanged);
    await expect(storage.copy(key, storageKey('clean', fileId), { etag })).rejects.toThrow(ObjectChanged);
    expect(await storage.stat(storageKey('clean', fileId))).toBeUndefined();
    expect(await bytesOf(key, other)).toHaveLength(1_000);
  });

  test('reads a part of a version', async () => {
    const { storage } = current();
    const bytes = randomBytes(200_000);
    const { key, etag } = await uploaded(bytes);
    for (const [start, end] of [
      [0, 0],
      [10, 150_000],
      [65_536, 199_999],
      [0, 199_999],
    ] as const) {
      const found = await storage.read(key, { etag, range: { start, end } });
      expect(found).toMatchObject({ size: 200_000, etag });
      expect((await buffer(found.body)).equals(bytes.subarray(start, end + 1))).toBe(true);
    }
    await expect(storage.read(key, { etag: 'a'.repeat(64), range: { start: 0, end: 9 } })).rejects.toThrow(
      ObjectChanged,
    );
  });

  test('copies, and replaces an existing object', async () => {
    const { storage } = current();
    const bytes = randomBytes(200_000);
    const { fileId, key, etag } = await uploaded(bytes);
    const clean = storageKey('clean', fileId);
    await storage.put(clean, randomBytes(10), 'application/pdf');
    await storage.copy(key, clean, { etag });
    await storage.copy(key, clean, { etag });
    expect((await bytesOf(clean)).equals(bytes)).toBe(true);
    await storage.remove([key]);
    expect(await storage.stat(key)).toBeUndefined();
    expect((await bytesOf(clean)).equals(bytes)).toBe(true);
  });

  test('puts small objects, and replaces existing ones', async () => {
    const { storage } = current();
    const key = storageKey('thumbnails', newFileId());
    await storage.put(key, Buffer.from('first'), 'image/webp');
    await storage.put(key, Buffer.from('second one'), 'image/webp');
    expect(String(await bytesOf(key))).toBe('second one');
    expect(await storage.stat(key)).toMatchObject({ size: 10 });
  });

  test('reports missing objects', async () => {
    const { storage } = current();
    const fileId = newFileId();
    const [key, clean] = [storageKey('quarantine', fileId), storageKey('clean', fileId)];
    expect(await storage.stat(key)).toBeUndefined();
    await expect(storage.read(key)).rejects.toThrow(ObjectChanged);
    await expect(storage.copy(key, clean, { etag: 'a'.repeat(64) })).rejects.toThrow(ObjectChanged);
    await expect(storage.remove([key, clean])).resolves.toBeUndefined();
  });

  test('removes what was stored before a time, in one folder only', async () => {
    const { storage } = current();
    const forgotten = newFileId();
    expect((await upload(await ask(forgotten, randomBytes(10)), randomBytes(10))).status).toBe(200);
    const before = new Date(Date.now() - 60_000);
    await storage.removeOlderThan('quarantine', new Date(Date.now() + 60_000));
    const objects = [await uploaded(randomBytes(10)), await uploaded(randomBytes(10))];
    const [first] = objects;
    await storage.copy(first!.key, storageKey('clean', first!.fileId), first!);
    expect(await storage.removeOlderThan('quarantine', before)).toBe(0);
    expect(await storage.removeOlderThan('quarantine', new Date(Date.now() + 60_000))).toBe(2);
    for (const { key } of objects) expect(await storage.stat(key)).toBeUndefined();
    expect(await storage.stat(storageKey('clean', first!.fileId))).toMatchObject({ size: 10 });
    expect(await storage.seal(forgotten)).toBeUndefined();
  });

  test('holds only a small part of a large object in memory', async () => {
    const bytes = randomBytes(25 * MIB);
    const { fileId, key, etag } = await uploaded(bytes);
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const held = () => {
      collectGarbage();
      return process.memoryUsage().arrayBuffers;
    };
    await current().storage.copy(key, storageKey('clean', fileId), { etag });
    const before = held();
    let [received, sampledAt, most] = [0, 0, 0];
    const hash = createHash('sha256');
    const { body } = await current().storage.read(storageKey('clean', fileId));
    for await (const chunk of body as AsyncIterable<Buffer>) {
      hash.update(chunk);
      received += chunk.length;
      if (received - sampledAt < 4 * MIB) continue;
      sampledAt = received;
      most = Math.max(most, held());
    }
    expect(hash.digest('hex')).toBe(sha256(bytes));
    expect(most - Math.min(before, held())).toBeLessThan(FLAT_BYTES);
  });

  test('ends a transfer when the reader stops', async () => {
    const { key } = await uploaded(randomBytes(2 * MIB));
    const { storage } = current();
    (await storage.read(key)).body.destroy();
    const { body } = await storage.read(key);
    for await (const _ of body) break;
    expect(body.destroyed).toBe(true);
    expect(await bytesOf(key)).toHaveLength(2 * MIB);
  });

  test('reports no failure while it works', async () => {
    expect(await current().storage.failure()).toBeUndefined();
  });
}
