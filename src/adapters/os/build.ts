import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';

const ROOT = resolve(import.meta.dirname, '../../..');
const Package = z.object({ version: z.string() });

const textOf = (...path: string[]): Promise<string | undefined> =>
  readFile(join(...path), 'utf8').then(
    (text) => text.trim(),
    () => undefined,
  );

/** Resolves with the folder of git's own files. In another work tree than the first, `.git` is a file that names it. */
async function gitFolder(root: string): Promise<string> {
  const named = await textOf(root, '.git');
  return resolve(root, named?.replace('gitdir: ', '') ?? '.git');
}

/** Resolves with the commit that is checked out; undefined without git. */
async function checkedOut(root: string): Promise<string | undefined> {
  const folder = await gitFolder(root);
  const head = await textOf(folder, 'HEAD');
  const ref = /^ref: (.+)$/.exec(head ?? '')?.[1];
  if (ref === undefined) return head;
  const shared = resolve(folder, (await textOf(folder, 'commondir')) ?? '.');
  const packed = await textOf(shared, 'packed-refs');
  return (
    (await textOf(shared, ref)) ??
    packed
      ?.split('\n')
      .find((line) => line.endsWith(` ${ref}`))
      ?.split(' ')[0]
  );
}

/**
 * Resolves with the version of the program, and its commit: from a file `COMMIT` beside `package.json`, which an image
 * may have, or from git.
 */
export async function readBuild(root = ROOT): Promise<{ version: string; commit: string }> {
  const { version } = Package.parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')));
  const commit = (await textOf(root, 'COMMIT')) ?? (await checkedOut(root));
  return { version, commit: commit ?? 'unknown' };
}
