import { randomUUID } from 'node:crypto';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../../..');

/** The changes of the next version of this program: for each file, pairs of old and new text. */
export type Patch = Readonly<Record<string, readonly [from: string, to: string]>>;

/**
 * Makes a newer version of the program, with the same packages: the patched sources in a folder of their own.
 */
export async function makeNewerVersion(patch: Patch) {
  const folder = join('.cache', `newer-${randomUUID()}`);
  await mkdir(join(ROOT, folder), { recursive: true });
  await cp(join(ROOT, 'src'), join(ROOT, folder, 'src'), { recursive: true });
  await cp(join(ROOT, 'package.json'), join(ROOT, folder, 'package.json'));
  for (const [file, [from, to]] of Object.entries(patch)) {
    const path = join(ROOT, folder, file);
    const source = await readFile(path, 'utf8');
    if (!source.includes(from)) throw new Error(`the patch of ${file} does not fit`);
    await writeFile(path, source.replace(from, to));
  }
  return {
    entry: join(folder, 'src/main.ts'),
    remove: () => rm(join(ROOT, folder), { recursive: true, force: true }),
  };
}
