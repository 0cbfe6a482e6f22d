import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogWitnessFile } from '../../../src/adapters/disk/log-witness.ts';
import { describeWitness } from '../log-witness-contract.ts';

const open = async () => {
  const dir = await mkdtemp(join(tmpdir(), 'log-seen-'));
  const path = join(dir, 'made', 'log-seen.json');
  return {
    dir,
    path,
    again: () => createLogWitnessFile(path),
    async close() {
      await chmod(dir, 0o700);
      await rm(dir, { recursive: true });
    },
  };
};

describeWitness('in a file', open);

describe('the file of what was seen of a log', () => {
  test('is replaced as a whole, and leaves nothing beside it', async () => {
    const place = await open();
    await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        place.again().note('log', { epoch: 'first', beganAt: 1_000, position: n }),
      ),
    );
    expect(await place.again().recall('log')).toMatchObject({ epoch: 'first' });
    expect(await readdir(join(place.dir, 'made'))).toEqual(['log-seen.json']);
    await place.close();
  });

  test('says nothing when it is torn or of another shape', async () => {
    const place = await open();
    await place.again().note('log', { epoch: 'first', beganAt: 1_000, position: 7 });
    for (const text of ['', 'log', 'log\n{"epoch":', '{"log":"log"}']) {
      await writeFile(place.path, text);
      expect(await place.again().recall('log')).toBeUndefined();
    }
    await place.close();
  });
});
