import fc from 'fast-check';
import type { checksOf as Checks } from '../../src/files/sniff/sniff.ts';
import { heads, hostileFiles, repeated } from '../support/files/hostile-files.ts';
import { createWorkMeter } from '../support/work-meter.ts';

/** The size of chunks from storage. */
const PIECE = 65_536;
/** The number of leading bytes that determine the type. */
const HEAD = 65_536;

let meter: ReturnType<typeof createWorkMeter>;
let checksOf: typeof Checks;
beforeAll(async () => {
  meter = createWorkMeter('/src/files/');
  ({ checksOf } = await import('../../src/files/sniff/sniff.ts'));
});
afterAll(() => meter.stop());

const workFor = (contentType: string, bytes: Buffer) =>
  meter.workOf(async () => {
    const checks = checksOf(contentType);
    for (let at = 0; at < bytes.length; at += PIECE)
      for (const check of checks) await check.see(bytes.subarray(at, at + PIECE));
    for (const check of checks) await check.refusal();
    for (const check of checks) check.close?.();
  });

/** Allowance for fixed costs and for work that begins at some length. */
const SLACK = 20_000;

async function expectLinear(contentType: string, of: (size: number) => Buffer, size: number) {
  const [once, twice] = [of(size), of(2 * size)];
  const [less, more] = [await workFor(contentType, once), await workFor(contentType, twice)];
  const growth = twice.length / once.length;
  expect({ less, more, isLinear: more <= less * growth * 1.2 + SLACK }).toMatchObject({ isLinear: true });
}

describe('the number of steps to sniff a file', () => {
  test.each(hostileFiles.map(({ title, contentType, of }) => [title, contentType, of] as const))(
    'doubles with its size: %s',
    async (_, contentType, of) => {
      await expectLinear(contentType, of, 8_192);
      await expectLinear(contentType, of, 2 * HEAD);
    },
  );

  test('doubles with its size for any unit repeated after any head', async () => {
    const units = hostileFiles.map(({ of }) => of(64).subarray(-16));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...Object.entries(heads)),
        fc.oneof(fc.constantFrom(...units), fc.uint8Array({ minLength: 1, maxLength: 8 })),
        fc.integer({ min: 1_024, max: 32_768 }),
        async ([contentType, head], unit, size) =>
          expectLinear(contentType, (length) => repeated(head, Buffer.from(unit), length), size),
      ),
      { seed: 42, numRuns: 200 },
    );
  });

  test.each(hostileFiles.map(({ title, contentType, of }) => [title, contentType, of] as const))(
    'is at most 40 per byte: %s',
    async (_, contentType, of) => {
      const bytes = of(4 * HEAD);
      const fixed = await workFor(contentType, of(1_024));
      expect(((await workFor(contentType, bytes)) - fixed) / bytes.length).toBeLessThan(40);
    },
  );
});
