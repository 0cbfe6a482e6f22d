import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * The packages of every Debian, as `debootstrap --variant=minbase` installs it: the essential packages, apt,
 * and their dependencies. They contain the C library, which works only with the dynamic loader of the same
 * build, and every program contains the path of the system's loader. They also contain libgcc, libstdc++ and
 * the libraries of the shell, sed and grep, which the scripts of RabbitMQ run with the same library path.
 * `usr-is-merged` keeps apt from choosing `usrmerge`, which needs all of Perl; in releases without it the
 * pattern matches nothing.
 */
const BASE = ['apt', '?essential', '?exact-name(usr-is-merged)'];

/**
 * Returns settings for apt: the system's sources and keys, with separate lists and locks, and as if no
 * package were installed and there were no other architectures.
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
  /**
   * Extracts a package and all its dependencies, except the packages of every Debian, into a folder that does
   * not exist yet.
   */
  extract(name: string, root: string): Promise<void>;
}

/**
 * Reads the lists of the system's package sources, and keeps them and the downloads in a folder. It needs no
 * privileges and changes nothing outside the folder. The installed packages make no difference. Rejects with
 * the output of apt-get when it fails.
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
  /** Resolves with the names of these packages and of all their dependencies. */
  const closureOf = async (...names: string[]) => {
    const list = await aptGet('install', '--print-uris', ...names);
    return new Set(Array.from(list.matchAll(/^'[^']*' ([^_]+)_/gm), ([, name]) => name!));
  };
  // A source that does not answer may not be needed: the later search for the packages decides.
  await aptGet('update').catch(() => undefined);
  const base = await closureOf(...BASE);
  return {
    async extract(name, root) {
      // Resolved together with the base, which decides where a dependency has alternatives.
      const names = (await closureOf(...BASE, name)).difference(base);
      // Packages that were downloaded before are not downloaded again.
      await aptGet('download', ...names);
      await mkdir(root);
      const files = (await readdir(archives)).filter((file) => names.has(file.slice(0, file.indexOf('_'))));
      for (const file of files) await run('dpkg-deb', ['--extract', join(archives, file), root]);
      await moveErlang(root);
    },
  };
}

/**
 * Returns a name for the choice that `openPackageSource` makes. It changes with the text of this file, and
 * with the release and processor, whose base the choice relies on.
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

/** Makes `erl` find its own folder. Debian's has a fixed path for Erlang and ignores the environment. */
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
