import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Survives `npm ci`, and is not part of the repository. */
const CACHE = join(import.meta.dirname, '../.cache/npm');

/**
 * Resolves with the folder of a package that is no dependency of the project, because it is large or brings others along.
 * The first call downloads it, and calls `prepare` with its folder. Rejects when it is not the package that `integrity` names.
 */
export async function npmPackage(
  name: string,
  integrity: string,
  prepare: (folder: string) => Promise<void> = async () => {},
): Promise<string> {
  const folder = join(CACHE, name.replaceAll('/', '+'));
  if (existsSync(folder)) return folder;
  await mkdir(CACHE, { recursive: true });
  const work = await mkdtemp(join(CACHE, 'download-'));
  try {
    const { stdout } = await run('npm', ['pack', name, '--silent', '--pack-destination', work]);
    const archive = join(work, stdout.trim());
    const digest = createHash('sha512').update(await readFile(archive));
    const found = `sha512-${digest.digest('base64')}`;
    if (found !== integrity) throw new Error(`${name} is not the package it was: ${found}`);
    await run('tar', ['-xzf', archive, '-C', work]);
    await prepare(join(work, 'package'));
    // Another process may have been faster. Its result is as good.
    await rename(join(work, 'package'), folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return folder;
}
