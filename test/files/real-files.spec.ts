import { Readable } from 'node:stream';
import { safeFileName } from '../../src/commands/file/file-name.ts';
import { decideKind } from '../../src/files/inspect/decide-kind.ts';
import { inspect } from '../../src/files/inspect/inspect.ts';
import type { Scanner } from '../../src/files/inspect/scanner.ts';
import { createClamdScanner } from '../../src/adapters/clamd/scanner.ts';
import { createProcessSandbox } from '../../src/adapters/os/sandbox.ts';
import { type Clamd, startClamd } from '../support/servers/clamd.ts';
import { linesOf } from '../support/log-lines.ts';
import { type RealFile, realFiles } from '../support/files/real-files.ts';

const UNKNOWN = 'application/octet-stream';
const files = realFiles();

describe('files made by real programs', () => {
  const sandbox = createProcessSandbox();
  let clamd: Clamd;
  let scanner: Scanner;
  beforeAll(async () => {
    clamd = await startClamd();
    scanner = createClamdScanner({ url: clamd.url, log: linesOf('info').log });
  }, 60_000);
  afterAll(async () => {
    sandbox.close();
    await clamd?.stop();
  });

  async function outcomeOf({ name, contentType: declared, bytes }: RealFile): Promise<string> {
    const kind = decideKind({ name: safeFileName(name), contentType: declared || UNKNOWN });
    if ('refused' in kind) return kind.refused === 'conflict' ? '400' : '415';
    const { contentType } = kind;
    const finding = await inspect({
      file: { size: bytes.length, contentType, sha256: null },
      open: async () => ({ size: bytes.length, body: Readable.from([bytes]) }),
      scanner,
      sandbox,
      signal: AbortSignal.timeout(60_000),
    });
    return finding.verdict === 'refused' ? finding.reason : (finding.contentType ?? contentType);
  }

  const isClean = ({ expected }: RealFile) => expected.includes('/');
  test.each([
    ['are clean under their own type', (file: RealFile) => isClean(file)],
    ['are refused with the right reason when they are not honest', (file: RealFile) => !isClean(file)],
  ])(
    '%s',
    async (_, belongs) => {
      const chosen = files.filter(belongs);
      const found: Record<string, string> = {};
      for (const file of chosen) found[file.name] = await outcomeOf(file);
      expect(found).toEqual(Object.fromEntries(chosen.map(({ name, expected }) => [name, expected])));
    },
    300_000,
  );
});

test('There are at least 120 honest files', () =>
  expect(files.filter(({ expected }) => expected.includes('/')).length).toBeGreaterThanOrEqual(120));
