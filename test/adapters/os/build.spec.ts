import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readBuild } from '../../../src/adapters/os/build.ts';

const COMMIT = 'a'.repeat(40);
const PACKED = 'b'.repeat(40);

describe('the version that runs', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'build-'));
    await write('package.json', '{"version":"1.2.3"}');
  });
  afterEach(() => rm(root, { recursive: true }));

  async function write(path: string, text: string): Promise<void> {
    await mkdir(join(root, path, '..'), { recursive: true });
    await writeFile(join(root, path), text);
  }

  test('is unknown but for its number without git', async () => {
    expect(await readBuild(root)).toEqual({ version: '1.2.3', commit: 'unknown' });
  });

  test('is the commit of the branch that is checked out', async () => {
    await write('.git/HEAD', 'ref: refs/heads/main\n');
    await write('.git/refs/heads/main', `${COMMIT}\n`);
    expect(await readBuild(root)).toEqual({ version: '1.2.3', commit: COMMIT });
  });

  test('is found among packed branches, and without a branch', async () => {
    await write('.git/HEAD', 'ref: refs/heads/main\n');
    await write('.git/packed-refs', `# pack-refs\n${PACKED} refs/heads/main\n`);
    expect((await readBuild(root)).commit).toBe(PACKED);
    await write('.git/HEAD', COMMIT);
    expect((await readBuild(root)).commit).toBe(COMMIT);
  });

  test('is found in another work tree', async () => {
    await write('.git', `gitdir: ${join(root, 'first/.git/worktrees/other')}\n`);
    await write('first/.git/worktrees/other/HEAD', 'ref: refs/heads/other\n');
    await write('first/.git/worktrees/other/commondir', '../..\n');
    await write('first/.git/refs/heads/other', `${COMMIT}\n`);
    expect((await readBuild(root)).commit).toBe(COMMIT);
  });

  test('is what the file of an image says', async () => {
    await write('COMMIT', `${PACKED}\n`);
    expect((await readBuild(root)).commit).toBe(PACKED);
  });
});
