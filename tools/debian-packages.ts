import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * What every Debian has, as `debootstrap --variant=minbase` installs it: the essential packages, apt, and what they
 * depend on. It holds the C library, which works only with the dynamic loader that it came with, and every program has
 * the path of the system's loader in it. It also holds libgcc, libstdc++ and the libraries of the shell, sed and grep,
 * which the scripts of RabbitMQ run with the same library path. `usr-is-merged` keeps apt from choosing `usrmerge`,
 * which needs all of Perl; releases that lack it match nothing.
 */
const BASE = ['apt', '?essential', '?exact-name(usr-is-merged)'];

/**
 * The system's sources and keys, with lists and locks of its own, and with the view of a system that has nothing, not
 * even packages of other architectures.
 */
const settingsIn = (folder: string, architecture: string) => `Dir::State "${folder}/state";
Dir::State::status "/dev/null";
Dir::Cache "${folder}/cache";
Dir::Cache::pkgcache "pkgcache.bin";
Dir::Cache::srcpkgcache "srcpkgcache.bin";
#clear APT::Architectures;
APT::Architectures "${architecture}";
Debug::NoLocking "true";
APT::Sandbox::User "root";
APT::Install-Recommends "false";
Acquire::GzipIndexes "false";
Acquire::Languages "none";
Acquire::Retries "3";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
`;

export interface PackageSource {
  /** Extracts a package, and all it depends on beside what every Debian has, into a folder that does not exist yet. */
  extract(name: string, root: string): Promise<void>;
}

/**
 * Reads the lists of the system's package sources, and keeps them and what is downloaded in a folder. Needs no rights
 * and changes nothing outside the folder. What is installed makes no difference to what is extracted. Rejects with
 * what apt-get said when it fails.
 */
export async function openPackageSource(folder: string): Promise<PackageSource> {
  const archives = join(folder, 'archives');
  for (const each of [archives, join(folder, 'state/lists/partial'), join(folder, 'cache/archives/partial')])
    await mkdir(each, { recursive: true });
  const { stdout: architecture } = await run('dpkg', ['--print-architecture']);
  const settings = join(folder, 'apt.conf');
  await writeFile(settings, settingsIn(folder, architecture.trim()));
  const env = { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' };
  const aptGet = async (...args: string[]) => {
    const options = { env, cwd: archives, maxBuffer: 2 ** 24 };
    const { stdout } = await run('apt-get', ['-q', '-c', settings, ...args], options);
    return stdout;
  };
  /** The names of these packages, and of all that they depend on. */
  const closureOf = async (...names: string[]) => {
    const list = await aptGet('install', '--print-uris', ...names);
    return new Set(Array.from(list.matchAll(/^'[^']*' ([^_]+)_/gm), ([, name]) => name!));
  };
  // A source that does not answer may not be needed: whether the packages are found decides.
  await aptGet('update').catch(() => undefined);
  const base = await closureOf(...BASE);
  return {
    async extract(name, root) {
      // Together with the base, which decides where a dependency has alternatives.
      const names = (await closureOf(...BASE, name)).difference(base);
      // What an earlier package needed as well is there, and is not downloaded again.
      await aptGet('download', ...names);
      await mkdir(root);
      const files = (await readdir(archives)).filter((file) => names.has(file.slice(0, file.indexOf('_'))));
      for (const file of files) await run('dpkg-deb', ['--extract', join(archives, file), root]);
      await moveErlang(root);
    },
  };
}

/**
 * Names what `openPackageSource` chooses: another name for another way of choosing, that is for another text of this
 * file, and for another release or processor, on whose base it relies.
 */
export function packageChoice(): string {
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  const field = (name: string) => new RegExp(`^${name}="?([\\w.-]+)`, 'm').exec(release)?.[1] ?? 'unknown';
  const way = createHash('sha256')
    .update(readFileSync(import.meta.filename))
    .digest('hex')
    .slice(0, 8);
  return [field('ID'), field('VERSION_CODENAME'), process.arch, way].join('-');
}

/** Debian's `erl` knows one place for Erlang, whatever its environment says: this one finds its own. */
async function moveErlang(root: string): Promise<void> {
  const erl = join(root, 'usr/lib/erlang/bin/erl');
  if (!existsSync(erl)) return;
  await writeFile(
    erl,
    `#!/bin/sh
ROOTDIR=$(dirname "$(dirname "$(readlink -f "$0")")")
BINDIR=$(echo "$ROOTDIR"/erts-*/bin)
EMU=beam
PROGNAME=erl
export ROOTDIR BINDIR EMU PROGNAME
exec "$BINDIR/erlexec" "$@"
`,
  );
  await chmod(erl, 0o755);
}
