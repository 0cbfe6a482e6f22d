import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCheckpointFile } from '../../../src/adapters/disk/checkpoints.ts';
import { chainOf, describeCheckpointStore } from '../../audit/checkpoint-store-contract.ts';

let dir: string;
let path: string;
const open = async () => {
  dir = await mkdtemp(join(tmpdir(), 'chat-checkpoints-'));
  path = join(dir, 'made', 'checkpoints.ndjson');
  return {
    store: createCheckpointFile(path),
    again: () => createCheckpointFile(path),
    close: () => rm(dir, { recursive: true }),
  };
};

describeCheckpointStore('in a file', open);

describe('the file of checkpoints', () => {
  let place: Awaited<ReturnType<typeof open>>;
  beforeEach(async () => (place = await open()));
  afterEach(() => place.close());

  test('loses a line that a crash has torn, at whatever byte, and goes on', async () => {
    const [first, second] = chainOf([3, 4]) as [never, never];
    const line = `${JSON.stringify(second)}\n`;
    for (let length = 1; length < line.length; length += 17) {
      await rm(path, { force: true });
      await place.store.append(first);
      await appendFile(path, line.slice(0, length));
      expect(await place.again().last()).toEqual(first);
      await place.again().append(second);
      expect(await readFile(path, 'utf8')).toBe(`${JSON.stringify(first)}\n${line}`);
    }
  });

  test('is damaged where a line is no checkpoint, and takes no other', async () => {
    const [first, second, third] = chainOf([3, 4, 5]) as [never, never, never];
    await place.store.append(first);
    await writeFile(
      path,
      `${JSON.stringify(first)}\n${JSON.stringify(second).replace('"size"', '"Size"')}\n`,
    );
    const damaged = { name: 'CheckpointsDamaged' };
    await expect(place.store.last()).rejects.toMatchObject(damaged);
    await expect(place.store.append(third)).rejects.toMatchObject(damaged);
    await expect(Array.fromAsync(place.store.all())).rejects.toMatchObject(damaged);
  });
});
