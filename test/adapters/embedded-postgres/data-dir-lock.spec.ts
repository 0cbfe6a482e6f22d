import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataDirInUse, lockDataDir } from '../../../src/adapters/embedded-postgres/data-dir-lock.ts';
import { findProcess } from '../../../src/adapters/os/processes.ts';

/** Above the largest Linux pid. */
const NOBODY = 4_194_305;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'data-dir-lock-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('the lock of the data folder', () => {
  test('is held by one process at a time, and names the holder', async () => {
    await lockDataDir(folder);
    const refusal = await lockDataDir(folder).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(DataDirInUse);
    expect(String(refusal)).toContain(`process ${process.pid}`);
    expect(String(refusal)).toContain(folder);
  });

  test('is free once released, and creates a missing folder', async () => {
    const missing = join(folder, 'a', 'b');
    const lock = await lockDataDir(missing);
    await lock.release();
    expect(await readdir(missing)).toEqual([]);
    await expect(lockDataDir(missing)).resolves.toBeDefined();
  });

  test('is taken over from a dead process', async () => {
    await writeFile(join(folder, 'lock'), `${NOBODY} 17\n`);
    await lockDataDir(folder);
    expect(await readFile(join(folder, 'lock'), 'utf8')).toMatch(new RegExp(`^${process.pid} `));
  });

  test('is taken over when the pid was reused by a later process', async () => {
    const { startedAt } = (await findProcess(process.pid))!;
    await writeFile(join(folder, 'lock'), `${process.pid} ${Number(startedAt) - 1}\n`);
    await expect(lockDataDir(folder)).resolves.toBeDefined();
  });

  test('is taken over when it is empty, as after a power failure', async () => {
    await writeFile(join(folder, 'lock'), '');
    await expect(lockDataDir(folder)).resolves.toBeDefined();
  });

  test('goes to exactly one of many processes that find it stale at the same moment', async () => {
    await writeFile(join(folder, 'lock'), `${NOBODY} 17\n`);
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => lockDataDir(folder)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await readdir(folder)).toEqual(['lock']);
  });

  test('is not released by a process that no longer holds it', async () => {
    const lock = await lockDataDir(folder);
    await writeFile(join(folder, 'lock'), 'somebody else');
    await lock.release();
    expect(await readFile(join(folder, 'lock'), 'utf8')).toBe('somebody else');
  });
});
