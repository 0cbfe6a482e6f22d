import sharp from 'sharp';
import { fileOf } from '../../src/commands/file/file.ts';
import { refuseFile } from '../../src/commands/file/refuse-file.ts';
import type { DomainEvent } from '../../src/events/domain-event.ts';
import { fileInLog, isScanning } from '../../src/files/file-in-log.ts';
import type { Finding } from '../../src/files/inspect/finding.ts';
import { createApplyFinding } from '../../src/files/apply-finding.ts';
import { type FileStorage, StorageUnavailable, storageKey } from '../../src/files/storage.ts';
import { createThumbnails } from '../../src/files/thumbnails.ts';
import { removeLeftoverBytes } from '../../src/files/remove-leftover-bytes.ts';
import { createProcessSandbox } from '../../src/adapters/os/sandbox.ts';
import { commands } from '../support/language/command-stage.ts';
import { aboutFile, event, fileId, upload, uuid } from '../support/language/example-events.ts';
import { localStore } from '../support/servers/local-store.ts';

const sha256 = 'ab'.repeat(32);
const cleared: Finding = { verdict: 'cleared', sha256 };
const infected: Finding = { verdict: 'refused', reason: 'infected', signature: 'Eicar-Test' };
const pdf = Buffer.from('%PDF-1.7 a CV');
const sandbox = createProcessSandbox();
afterAll(() => sandbox.close());
const makeThumbnail = createThumbnails(sandbox);

let store: Awaited<ReturnType<typeof localStore>>;
beforeEach(async () => void (store = await localStore()));
afterEach(() => store.remove());

/** A file that waits for its inspection, the process that settles it, and the follower that tidies up. */
async function scanning(
  bytes: Uint8Array,
  contentType = 'application/pdf',
  faults: Partial<FileStorage> = {},
) {
  const etag = await store.arrive(fileId, bytes);
  const requested = event('FileUploadRequested', {
    ...aboutFile,
    ...upload,
    contentType,
    size: bytes.length,
  });
  const stage = await commands({ history: [requested, event('FileUploaded', { ...aboutFile, etag })] });
  const tidy = removeLeftoverBytes(store.storage, { release: async () => {} });
  const applyFinding = createApplyFinding({
    handle: stage.handle,
    storage: { ...store.storage, ...faults },
    makeThumbnail,
  });
  const found = await fileInLog(stage.store, fileId);
  if (!isScanning(found)) throw new Error('the file is not scanning');
  const since = async (): Promise<DomainEvent[]> =>
    (await stage.log()).slice(2).map(({ type, data }) => ({ type, data }) as DomainEvent);
  return {
    ...stage,
    applyFinding: (finding: Finding) => applyFinding(found, finding),
    tidyUp: async () => tidy(await stage.log()),
    since,
  };
}

describe('applying a finding', () => {
  test('makes a cleared file available in the clean folder only', async () => {
    const { applyFinding, tidyUp, since } = await scanning(pdf);
    await applyFinding(cleared);
    expect(await since()).toEqual([event('FileCleared', { ...aboutFile, sha256, hasThumbnail: false })]);
    expect(await store.bytesOf('clean', fileId)).toEqual(pdf);
    await tidyUp();
    expect(await store.foldersOf(fileId)).toEqual(['clean']);
  });

  test('records a type found by inspection, with a suitable name and a thumbnail', async () => {
    const picture = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'teal' } })
      .png()
      .toBuffer();
    const { applyFinding, since } = await scanning(picture, 'application/octet-stream');
    await applyFinding({ ...cleared, contentType: 'image/png' });
    expect(await since()).toEqual([
      event('FileCleared', {
        ...{ ...aboutFile, sha256, hasThumbnail: true },
        ...{ contentType: 'image/png', name: `${upload.name}.png` },
      }),
    ]);
  });

  test('leaves nothing of a refused file in storage, and records the reason', async () => {
    const { applyFinding, tidyUp, since } = await scanning(pdf);
    await applyFinding(infected);
    const refused = event('FileRefused', { ...aboutFile, reason: 'infected', signature: 'Eicar-Test' });
    expect(await since()).toEqual([refused]);
    await tidyUp();
    expect(await store.foldersOf(fileId)).toEqual([]);
  });

  test('names the upload as the cause of the decision', async () => {
    const { applyFinding, log } = await scanning(pdf);
    await applyFinding(cleared);
    const [, uploaded, decided] = await log();
    expect(decided!.metadata).toMatchObject({ actorId: null, causationId: uploaded!.id });
  });

  test('makes a thumbnail of an image', async () => {
    const image = await sharp({ create: { width: 900, height: 600, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
    const { applyFinding, since } = await scanning(image, 'image/png');
    await applyFinding(cleared);
    expect(await since()).toMatchObject([{ data: { hasThumbnail: true } }]);
    const thumbnail = await store.bytesOf('thumbnails', fileId);
    expect(await sharp(thumbnail).metadata()).toMatchObject({ format: 'webp', width: 320 });
  });

  test('clears an image that cannot be decoded without a thumbnail', async () => {
    const { applyFinding, since } = await scanning(Buffer.from('\x89PNG\r\n\x1a\nand no more'), 'image/png');
    await applyFinding(cleared);
    expect(await since()).toMatchObject([{ type: 'FileCleared', data: { hasThumbnail: false } }]);
    expect(await store.foldersOf(fileId)).toEqual(['quarantine', 'clean']);
  });

  test('refuses bytes that differ from the completed ones, even if others were cleared', async () => {
    const { applyFinding, tidyUp, since } = await scanning(pdf);
    await store.storage.put(storageKey('quarantine', fileId), Buffer.from('something else'), 'text/plain');
    await applyFinding(cleared);
    expect(await since()).toMatchObject([{ type: 'FileRefused', data: { reason: 'wrong-sha256' } }]);
    await tidyUp();
    expect(await store.foldersOf(fileId)).toEqual([]);
  });

  test.each(['copy', 'put', 'read'] as const)('decides nothing when storage fails at %s', async (call) => {
    let isDown = true;
    const image = await sharp({ create: { width: 9, height: 9, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
    const work = store.storage[call] as (...args: unknown[]) => Promise<never>;
    const { applyFinding, since } = await scanning(image, 'image/png', {
      [call]: async (...args: unknown[]) => {
        if (isDown) throw new StorageUnavailable('down');
        return work(...args);
      },
    });
    await expect(applyFinding(cleared)).rejects.toThrow(StorageUnavailable);
    expect(await since()).toEqual([]);
    isDown = false;
    await applyFinding(cleared);
    expect(await since()).toMatchObject([{ type: 'FileCleared', data: { hasThumbnail: true } }]);
  });

  test('decides once when two processes settle a file', async () => {
    const { applyFinding, since } = await scanning(pdf);
    await Promise.all([applyFinding(cleared), applyFinding(cleared)]);
    await applyFinding(cleared);
    expect(await since()).toHaveLength(1);
  });

  test('leaves a file refused that another process has refused meanwhile', async () => {
    const { applyFinding, handle, tidyUp, since, loader } = await scanning(pdf, 'application/pdf', {
      copy: async (...args) => {
        await store.storage.copy(...args);
        const input = { fileId, reason: 'infected' as const, signature: 'New' };
        await handle(refuseFile, input, { actor: 'system', correlationId: uuid(0xc3) });
        await tidyUp();
        // A slow copy completes after everything was removed.
        await store.storage.put(storageKey('clean', fileId), pdf, 'application/pdf');
      },
    });
    await applyFinding(cleared);
    expect(await since()).toMatchObject([{ type: 'FileRefused', data: { signature: 'New' } }]);
    expect((await loader.refresh(fileOf(fileId))).state.status).toBe('refused');
    expect(await store.foldersOf(fileId)).toEqual([]);
  });

  test('leaves a file cleared that another process has cleared meanwhile', async () => {
    const { applyFinding, tidyUp, since } = await scanning(pdf);
    await applyFinding(cleared);
    await tidyUp();
    await applyFinding(infected);
    await applyFinding(cleared);
    expect(await since()).toMatchObject([{ type: 'FileCleared' }]);
    expect(await store.foldersOf(fileId)).toEqual(['clean']);
  });

  test('changes nothing when the same history is tidied again', async () => {
    const { applyFinding, tidyUp, log } = await scanning(pdf);
    await applyFinding(cleared);
    expect(await tidyUp()).toBe((await log()).at(-1)!.position);
    await tidyUp();
    expect(await store.foldersOf(fileId)).toEqual(['clean']);
  });
});
