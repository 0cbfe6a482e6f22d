import { Readable } from 'node:stream';
import type { Finding } from '../../src/files/inspect/finding.ts';
import { inspect } from '../../src/files/inspect/inspect.ts';
import type { Scanner } from '../../src/files/inspect/scanner.ts';
import { createClamdScanner } from '../../src/adapters/clamd/scanner.ts';
import { createProcessSandbox } from '../../src/adapters/os/sandbox.ts';
import { type Clamd, startClamd } from '../support/servers/clamd.ts';
import {
  eicar,
  honestFiles,
  impenetrableFiles,
  infectedFiles,
  lyingFiles,
  type Specimen,
} from '../support/files/corpus.ts';
import { linesOf } from '../support/log-lines.ts';

const PIECE = 65_536;
const MIB = 2 ** 20;
const sandbox = createProcessSandbox();
afterAll(() => sandbox.close());

function* inPieces(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += PIECE) yield bytes.subarray(at, at + PIECE);
}

const inspected = ({ contentType, bytes }: Specimen, scanner: Scanner | undefined): Promise<Finding> =>
  inspect({
    file: { size: bytes.length, contentType, sha256: null },
    open: () => Promise.resolve({ size: bytes.length, body: Readable.from(inPieces(bytes)) }),
    scanner,
    sandbox,
    signal: AbortSignal.timeout(60_000),
  });

const word = (finding: Finding) => (finding.verdict === 'cleared' ? 'cleared' : finding.reason);
const titled = (files: Specimen[]) => files.map((file) => [file.title, file.expected] as const);

describe('the inspection of the corpus', () => {
  let clamd: Clamd;
  let scanner: Scanner;
  let corpus: Record<'honest' | 'infected' | 'impenetrable' | 'lying', Specimen[]>;

  beforeAll(async () => {
    clamd = await startClamd();
    scanner = createClamdScanner({ url: clamd.url, log: linesOf('info').log });
    corpus = {
      honest: await honestFiles(),
      infected: await infectedFiles(),
      impenetrable: await impenetrableFiles(),
      lying: await lyingFiles(),
    };
  }, 180_000);
  afterAll(() => clamd?.stop());

  test.each([
    ['clears honest files', 'honest'],
    ['finds viruses in files of any declared type', 'infected'],
    ['refuses files that cannot be inspected', 'impenetrable'],
    ['refuses files of another type than declared', 'lying'],
  ] as const)(
    '%s',
    async (_, kind) => {
      const files = corpus[kind];
      const found: [string, string][] = [];
      for (const file of files) found.push([file.title, word(await inspected(file, scanner))]);
      expect(found).toEqual(titled(files));
    },
    300_000,
  );

  test('finds everything but viruses without a scanner', async () => {
    const files = Object.values(corpus).flat();
    const found: [string, string][] = [];
    for (const file of files) found.push([file.title, word(await inspected(file, undefined))]);
    expect(found).toEqual(files.map(({ title, expected, unscanned }) => [title, unscanned ?? expected]));
  }, 300_000);

  test('names a virus in its finding', async () => {
    const [virus] = corpus.infected;
    expect(await inspected(virus!, scanner)).toEqual({
      verdict: 'refused',
      reason: 'infected',
      signature: 'Eicar-Test.UNOFFICIAL',
    });
  });

  describe('of a file of 200 MB', () => {
    const size = 200 * MIB;
    function* huge(): Generator<Buffer> {
      const zeros = Buffer.alloc(MIB, 'text ');
      for (let left = size - eicar().length; left > 0; left -= MIB)
        yield zeros.subarray(0, Math.min(left, MIB));
      yield eicar();
    }
    const upTo = (declared: number, by: Scanner) =>
      inspect({
        file: { size: declared, contentType: 'text/plain', sha256: null },
        open: () => Promise.resolve({ size, body: Readable.from(huge()) }),
        scanner: by,
        sandbox,
        signal: AbortSignal.timeout(60_000),
      });

    test('does not read up to an EICAR beyond the declared size', async () => {
      expect(await upTo(25 * MIB, scanner)).toMatchObject({ reason: 'wrong-size' });
    });

    test('refuses an EICAR beyond the scan limits of a clamd that accepts the size', async () => {
      const large = await startClamd({ settings: { StreamMaxLength: '300M' } });
      try {
        const by = createClamdScanner({ url: large.url, log: linesOf('info').log });
        expect(await upTo(size, by)).toMatchObject({ reason: 'archive-too-deep' });
      } finally {
        await large.stop();
      }
    }, 60_000);

    test('waits for the operator when clamd does not accept the size', async () => {
      await expect(upTo(size, scanner)).rejects.toMatchObject({ name: 'ScannerUnavailable' });
    });
  });
});
