import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { type Declared, inspect } from '../../src/files/inspect/inspect.ts';
import { type Scanner, ScannerUnavailable, type ScanVerdict } from '../../src/files/inspect/scanner.ts';
import { StorageUnavailable } from '../../src/files/storage.ts';
import { createProcessSandbox } from '../../src/adapters/os/sandbox.ts';
import { startClamd } from '../support/servers/clamd.ts';
import { eicar, gif, pdf, png, zip } from '../support/files/corpus.ts';

const ZIP = 'application/zip';
const sandbox = createProcessSandbox();
afterAll(() => sandbox.close());
const text = Buffer.from('A text of some length.\n'.repeat(10_000));
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** A scanner that reads a number of bytes and then returns a given result. */
const scannerThat = (verdict: ScanVerdict, reads = Infinity): Scanner => ({
  async scan(bytes) {
    let size = 0;
    for await (const chunk of bytes as AsyncIterable<Buffer>) if ((size += chunk.length) >= reads) break;
    return verdict;
  },
  failure: () => Promise.resolve(undefined),
});
const clean = scannerThat({ verdict: 'clean' });

interface Case {
  declared?: Partial<Declared>;
  bytes?: Buffer;
  body?: Readable;
  scanner?: Scanner | undefined;
  signal?: AbortSignal;
}

function inspecting({ declared = {}, bytes = text, body, scanner, signal }: Case) {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 10_000) pieces.push(bytes.subarray(at, at + 10_000));
  return inspect({
    file: { size: bytes.length, contentType: 'text/plain', sha256: null, ...declared },
    open: () => Promise.resolve({ size: bytes.length, body: body ?? Readable.from(pieces) }),
    scanner,
    sandbox,
    signal: signal ?? AbortSignal.timeout(60_000),
  });
}

const refused = (reason: string, signature: string | null = null) => ({
  verdict: 'refused',
  reason,
  signature,
});

describe('an inspection', () => {
  test('clears a file that matches its declaration, and reports its sum', async () => {
    const cleared = { verdict: 'cleared', sha256: sha256(text) };
    expect(await inspecting({ scanner: clean })).toEqual(cleared);
    expect(await inspecting({ declared: { sha256: sha256(text) }, scanner: clean })).toEqual(cleared);
    expect(await inspecting({})).toEqual(cleared);
  });

  test.each<[string, Partial<Declared>, string]>([
    ['fewer bytes', { size: text.length + 1 }, 'wrong-size'],
    ['more bytes', { size: text.length - 1 }, 'wrong-size'],
    ['another sum', { sha256: '0'.repeat(64) }, 'wrong-sha256'],
    ['a type that is not taken', { contentType: 'text/html' }, 'type-not-allowed'],
    ['another type', { contentType: 'image/png' }, 'type-does-not-match'],
    ['everything', { size: 1_000_000, sha256: '0'.repeat(64), contentType: 'image/png' }, 'wrong-size'],
  ])('refuses a file that differs from its declaration by %s', async (_, declared, reason) => {
    expect(await inspecting({ declared, scanner: clean })).toEqual(refused(reason));
  });

  test('prefers the scanner’s finding to a difference from the declaration', async () => {
    const declared = { size: 1_000_000, contentType: 'image/png' };
    const infected = scannerThat({ verdict: 'infected', signature: 'Some.Virus' });
    expect(await inspecting({ declared, scanner: infected })).toEqual(refused('infected', 'Some.Virus'));
    const encrypted = scannerThat({ verdict: 'refused', reason: 'encrypted' });
    expect(await inspecting({ declared, scanner: encrypted })).toEqual(refused('encrypted'));
  });

  test('stops reading at the first excess byte', async () => {
    let read = 0;
    async function* endless(): AsyncGenerator<Buffer> {
      for (;;) yield Buffer.alloc((read += 1) && 1_000, 'a');
    }
    const body = Readable.from(endless(), { objectMode: false });
    expect(await inspecting({ body, scanner: clean })).toEqual(refused('wrong-size'));
    expect(read * 1_000).toBeLessThan(text.length + 200_000);
    expect(body.destroyed).toBe(true);
  });
});

describe('an inspection clears nothing', () => {
  test('when the scanner says "clean" before it has read everything', async () => {
    const hasty = scannerThat({ verdict: 'clean' }, 1_000);
    await expect(inspecting({ scanner: hasty })).rejects.toMatchObject({ name: 'ScannerUnavailable' });
  });

  test('when the scanner is down', async () => {
    const down: Scanner = { ...clean, scan: () => Promise.reject(new ScannerUnavailable('down')) };
    await expect(inspecting({ scanner: down })).rejects.toThrow('down');
  });

  test.each([clean, undefined])('when the storage fails halfway', async (scanner) => {
    async function* broken(): AsyncGenerator<Buffer> {
      yield text.subarray(0, 1_000);
      await Promise.resolve();
      throw new StorageUnavailable('no bytes any more');
    }
    const inspection = inspecting({ body: Readable.from(broken()), scanner });
    await expect(inspection).rejects.toMatchObject({ name: 'StorageUnavailable' });
  });

  test('when it exceeds its deadline', async () => {
    const body = new Readable({ read: () => undefined });
    const signal = AbortSignal.timeout(50);
    await expect(inspecting({ body, scanner: clean, signal })).rejects.toMatchObject({
      name: 'TimeoutError',
    });
    expect(body.destroyed).toBe(true);
  });
});

test('Stops reading when a virus is found', async () => {
  const body = Readable.from(Array.from({ length: 1_000 }, () => text));
  const scanner = scannerThat({ verdict: 'infected', signature: 'Some.Virus' }, 10);
  const finding = await inspecting({ declared: { size: 1e9 }, body, scanner });
  expect(finding).toEqual(refused('infected', 'Some.Virus'));
  expect(body.destroyed).toBe(true);
});

test('Finds the same whatever chunks the bytes arrive in', async () => {
  const archive = await zip({ a: text, b: await zip({ c: randomBytes(50_000) }) });
  const streamed = await zip({ a: text, 'b.bin': randomBytes(30_000) }, { level: 0 });
  const samples: [string, Buffer, string][] = [
    [ZIP, archive, 'cleared'],
    [ZIP, streamed, 'cleared'],
    [ZIP, archive.subarray(0, -1), 'type-does-not-match'],
    [ZIP, Buffer.concat([archive, Buffer.from('x')]), 'type-does-not-match'],
    ['image/gif', gif('<script>alert(1)</script>'), 'type-does-not-match'],
    ['image/png', await png(20_000, 20_000), 'image-too-large'],
    ['application/pdf', Buffer.concat([pdf(), await zip({ e: eicar() })]), 'type-does-not-match'],
  ];
  for (const [contentType, bytes, expected] of samples)
    for (const length of [1, 7, 4_096, 1_000_000]) {
      const body = Readable.from(
        (function* () {
          for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
        })(),
      );
      const finding = await inspecting({ declared: { contentType }, bytes, body });
      expect([length, finding.verdict === 'cleared' ? 'cleared' : finding.reason]).toEqual([
        length,
        expected,
      ]);
    }
}, 240_000);

test('Inspects 20 files of 25 MiB at once in less than 30 MB of memory', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'inspect-'));
  const clamd = await startClamd();
  const size = 25 * 2 ** 20;
  const filled = (head: Buffer) => Buffer.concat([head, randomBytes(size - head.length)]);
  const files = {
    'application/pdf': filled(pdf()),
    'image/png': filled(await png(64, 48)),
    'text/plain': Buffer.alloc(size, 'some text\n'),
    [ZIP]: await zip({ a: randomBytes(size - 10_000) }),
  };
  try {
    const paths = [];
    for (const [contentType, bytes] of Object.entries(files)) {
      const path = join(folder, contentType.replace('/', '-'));
      await writeFile(path, bytes);
      paths.push(`${contentType}=${path}`);
    }
    const program = join(import.meta.dirname, '../support/files/corpus-memory-process.ts');
    // A slow machine leaves more garbage in the young generation, which does not belong to the files.
    const args = ['--max-semi-space-size=1', program, clamd.url, '20', ...paths];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const { cleared, roseMb, fellMb } = JSON.parse(stdout) as Record<string, number>;
    process.stdout.write(`20 files of 25 MiB at once: ${stdout}`);
    expect(cleared).toBe(20);
    expect(roseMb).toBeLessThan(30);
    // Tolerance for what the garbage collector frees meanwhile; much more would hide a rise.
    expect(fellMb).toBeLessThan(60);
  } finally {
    await clamd.stop();
    await rm(folder, { recursive: true, force: true });
  }
}, 120_000);
