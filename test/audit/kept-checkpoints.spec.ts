import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createCheckpointFile, setCheckpointsAside } from '../../src/adapters/disk/checkpoints.ts';
import { splitCheckpoints } from '../../src/audit/kept-checkpoints.ts';
import { sealToHead } from '../../src/audit/sealer.ts';
import { sealStage } from '../support/stages/seal-stage.ts';

type Stage = Awaited<ReturnType<typeof sealStage>>;

describe('the checkpoints of a log that was restored', () => {
  let stage: Stage;
  beforeEach(async () => {
    stage = await sealStage();
    for (const count of [10, 500, 40]) {
      await stage.append(count);
      await sealToHead(stage);
    }
  });
  afterEach(() => stage.close());

  /** Reads the log as it was up to a position, with other events after it. */
  const upTo =
    (end: number, others: Stage['readLeaves'] = async () => []): Stage['readLeaves'] =>
    async ({ after, limit }) => {
      const there = (await stage.readLeaves({ after, limit })).filter(({ position }) => position <= end);
      return there.length === limit
        ? there
        : [...there, ...(await others({ after, limit: limit - there.length }))];
    };
  const sizes = async (readLeaves: Stage['readLeaves']) => {
    const { kept, beyond } = await splitCheckpoints(stage.checkpoints.all(), readLeaves);
    return [kept, beyond].map((some) => some.map(({ size }) => size));
  };

  test('are all kept where the log has everything', async () => {
    expect(await sizes(stage.readLeaves)).toEqual([[10, 510, 550], []]);
  });

  test('are kept up to the end of the log', async () => {
    expect(await sizes(upTo(549))).toEqual([[10, 510], [550]]);
    expect(await sizes(upTo(510))).toEqual([[10, 510], [550]]);
    expect(await sizes(upTo(509))).toEqual([[10], [510, 550]]);
    expect(await sizes(upTo(9))).toEqual([[], [10, 510, 550]]);
  });

  test('are not kept where the log went on with other events', async () => {
    const [leaf] = await stage.readLeaves({ after: 0, limit: 1 });
    const others: Stage['readLeaves'] = async ({ limit }) =>
      Array.from({ length: limit }, (_, n) => ({ ...leaf!, position: 101 + n }));
    expect(await sizes(upTo(100, others))).toEqual([[10], [510, 550]]);
  });

  test('are moved aside, and the rest stays a list that can be appended to', async () => {
    const split = await splitCheckpoints(stage.checkpoints.all(), upTo(520));
    const lines = (await readFile(stage.file, 'utf8')).split('\n');
    const aside = join(stage.dir, 'checkpoints.first.ndjson');
    await setCheckpointsAside(stage.file, aside, split);
    expect(await readFile(stage.file, 'utf8')).toBe(`${lines.slice(0, 2).join('\n')}\n`);
    expect(await readFile(aside, 'utf8')).toBe(`${lines[2]}\n`);
    expect(await createCheckpointFile(stage.file).last()).toEqual(split.kept[1]);
    // What is kept as evidence is never overwritten.
    await expect(setCheckpointsAside(stage.file, aside, split)).rejects.toMatchObject({ code: 'EEXIST' });
  });
});
