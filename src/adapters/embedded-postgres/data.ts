import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Unprivileged } from '../os/unprivileged.ts';

const run = promisify(execFile);

/** Resolves with the superuser's password. Makes it and the cluster's files on the first call. */
export async function prepareData(
  dataDir: string,
  initdb: string,
  as: Unprivileged,
): Promise<{ password: string }> {
  const data = join(dataDir, 'postgres');
  const passwordFile = join(dataDir, 'postgres-password');
  const kept = await readFile(passwordFile, 'utf8').catch(() => undefined);
  if (await stat(data).catch(() => undefined)) {
    if (kept) return { password: kept };
    throw new Error(`${passwordFile} is missing: without it the data in ${data} cannot be opened`);
  }
  const password = kept || (await makePassword(passwordFile, as));
  await makeCluster({ initdb, data, passwordFile, as });
  return { password };
}

async function makePassword(file: string, as: Unprivileged): Promise<string> {
  const password = randomBytes(24).toString('base64url');
  const handle = await open(file, 'w', 0o600);
  await handle.writeFile(password);
  await handle.sync();
  await handle.close();
  // initdb reads it as the user that it runs as.
  if (as.owner) await chown(file, as.owner.uid, as.owner.gid);
  return password;
}

/** Makes the cluster aside and renames it when complete, so that a crash leaves nothing half made. */
async function makeCluster({
  initdb,
  data,
  passwordFile,
  as,
}: {
  initdb: string;
  data: string;
  passwordFile: string;
  as: Unprivileged;
}): Promise<void> {
  const aside = `${data}.new`;
  await rm(aside, { recursive: true, force: true });
  await mkdir(aside, { mode: 0o700 });
  if (as.owner) await chown(aside, as.owner.uid, as.owner.gid);
  const [program, args] = as.command(initdb, [
    `--pgdata=${aside}`,
    '--username=postgres',
    '--auth=scram-sha-256',
    `--pwfile=${passwordFile}`,
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--no-instructions',
  ]);
  await run(program, args, { ...as.identity, cwd: '/' });
  await rename(aside, data);
}
