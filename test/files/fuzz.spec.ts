import { Readable } from 'node:stream';
import { isImageType } from '../../src/files/inspect/content-types.ts';
import { inspect } from '../../src/files/inspect/inspect.ts';
import { createThumbnails } from '../../src/files/thumbnails.ts';
import { createProcessSandbox } from '../../src/adapters/os/sandbox.ts';
import { mutatedFiles } from '../support/files/mutated-files.ts';

test('Gives 500 mutated archives, documents and images a verdict, without a crash', async () => {
  const sandbox = createProcessSandbox();
  const makeThumbnail = createThumbnails(sandbox);
  const verdicts: Record<string, number> = {};
  const files = await mutatedFiles(500, 42);
  try {
    const open = (bytes: Buffer) => async () => ({ size: bytes.length, body: Readable.from([bytes]) });
    await Promise.all(
      files.map(async ({ contentType, bytes }) => {
        const finding = await inspect({
          file: { size: bytes.length, contentType, sha256: null },
          open: open(bytes),
          scanner: undefined,
          sandbox,
          signal: AbortSignal.timeout(240_000),
        });
        const verdict = finding.verdict === 'cleared' ? 'cleared' : finding.reason;
        verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
      }),
    );
    // Includes refused files: the decoder must survive any input.
    for (const { contentType, bytes } of files)
      if (isImageType(contentType)) await makeThumbnail(open(bytes));
  } finally {
    sandbox.close();
  }
  const kinds = Object.keys(verdicts);
  expect(kinds).not.toContain('inspection-failed');
  expect(kinds).toEqual(expect.arrayContaining(['cleared', 'type-does-not-match', 'archive-too-deep']));
  expect(Object.values(verdicts).reduce((sum, count) => sum + count)).toBe(500);
}, 300_000);
