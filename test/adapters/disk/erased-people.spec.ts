import { appendFile, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createErasedPeopleFile } from '../../../src/adapters/disk/erased-people.ts';
import { describeErasedPeople, somebody } from '../../privacy/erased-people-contract.ts';

let dir: string;
let path: string;
const open = async () => {
  dir = await mkdtemp(join(tmpdir(), 'chat-erased-'));
  path = join(dir, 'made', 'erased-people.ndjson');
  return {
    list: createErasedPeopleFile(path),
    again: () => createErasedPeopleFile(path),
    close: () => rm(dir, { recursive: true }),
  };
};

describeErasedPeople('in a file', open);

describe('the file of erased people', () => {
  let place: Awaited<ReturnType<typeof open>>;
  beforeEach(async () => (place = await open()));
  afterEach(() => place.close());

  test('is for its owner alone', async () => {
    await place.list.add(somebody());
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test('loses nobody to a line that a crash has torn, at whatever byte', async () => {
    const [first, torn, next] = [somebody(), somebody(), somebody()];
    const line = JSON.stringify(torn);
    for (let length = 1; length < line.length; length += 13) {
      await rm(path, { force: true });
      await place.list.add(first);
      await appendFile(path, `\n${line.slice(0, length)}`);
      expect(await place.again().all()).toEqual([first]);
      await place.again().add(next);
      await place.again().add(torn);
      expect(await place.list.all()).toEqual([first, next, torn]);
    }
  });
});
