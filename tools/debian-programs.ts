import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The programs that tests run, and the Debian packages that bring them. */
const PACKAGES = {
  clamd: 'clamav-daemon',
  epmd: 'rabbitmq-server',
  nginx: 'nginx',
  rabbitmqctl: 'rabbitmq-server',
  'rabbitmq-server': 'rabbitmq-server',
  'redis-server': 'redis-server',
} as const;

export type ProgramName = keyof typeof PACKAGES;

export interface Program {
  /** The path of the program. */
  command: string;
  /** Variables that it needs beside those of the environment; they replace those of the same name. */
  env: Record<string, string>;
}

/** Survives `npm ci`, and is not part of the repository. */
const CACHE = join(import.meta.dirname, '../.cache/debian');
/** What Debian calls rabbitmq-server in the PATH runs as root or as the user rabbitmq only: its originals come first. */
const RABBITMQ = '/usr/lib/rabbitmq/bin';
const SYSTEM_FOLDERS = [RABBITMQ, '/usr/local/sbin', '/usr/sbin', '/sbin'];
const PRIVATE_FOLDERS = [RABBITMQ, '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
/** Set to anything, it makes the tests run what they download although the system has it. */
const isSystemIgnored = () => Boolean(process.env['TEST_DOWNLOADED_PROGRAMS']);

/** Where a program is: on the system, or in what `prepareDebianPrograms` downloaded. Throws when it is nowhere. */
export function program(name: ProgramName): Program {
  const found = onTheSystem(name) ?? downloaded(name);
  if (found) return found;
  throw new Error(
    `${name} is not installed, and could not be downloaded as a Debian package: ` +
      `install it (on Debian and Ubuntu: apt install ${PACKAGES[name]})`,
  );
}

/**
 * Downloads the Debian packages of programs that the system does not have into a folder of the project, with
 * everything that they depend on and the system lacks. Nothing is installed and no rights are needed. Without an
 * apt-get nothing is done; rejects with what apt-get said when it fails.
 */
export async function prepareDebianPrograms(): Promise<void> {
  const names = Object.keys(PACKAGES) as ProgramName[];
  const missing = names.filter((name) => !onTheSystem(name) && !downloaded(name));
  if (missing.length === 0 || !existsSync('/usr/bin/apt-get')) return;
  await mkdir(CACHE, { recursive: true });
  const work = await mkdtemp(join(CACHE, 'download-'));
  try {
    const apt = await privateApt(work);
    for (const name of new Set(missing.map((each) => PACKAGES[each]))) {
      await apt.download(name);
      await unpack(apt.archives, join(work, name));
      // Somebody else may have been faster; what is there is as good.
      await rename(join(work, name), join(CACHE, name)).catch(() => undefined);
    }
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function onTheSystem(name: ProgramName): Program | undefined {
  if (isSystemIgnored()) return undefined;
  const folders = [...SYSTEM_FOLDERS, ...(process.env['PATH'] ?? '').split(delimiter)];
  const command = folders.map((folder) => join(folder, name)).find(isExecutable);
  return command === undefined ? undefined : { command, env: {} };
}

function downloaded(name: ProgramName): Program | undefined {
  const root = join(CACHE, PACKAGES[name]);
  const folders = PRIVATE_FOLDERS.map((folder) => join(root, folder));
  const command = folders.map((folder) => join(folder, name)).find(isExecutable);
  if (command === undefined) return undefined;
  const libraries = ['usr/lib', 'lib'].flatMap((folder) => multiarchFolders(join(root, folder)));
  return {
    command,
    env: {
      PATH: [...folders, process.env['PATH'] ?? ''].join(delimiter),
      LD_LIBRARY_PATH: libraries.join(delimiter),
    },
  };
}

/** Such as `lib/x86_64-linux-gnu`, where Debian's libraries are. */
function multiarchFolders(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => /-linux-gnu/.test(name));
  return names.map((name) => join(folder, name));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** An apt-get with the system's sources and keys, and with lists, archives and locks of its own. */
async function privateApt(work: string) {
  const archives = join(work, 'cache/archives');
  await mkdir(join(work, 'state/lists/partial'), { recursive: true });
  // Taken to be a system that has nothing, where the system's programs do not count.
  const status = isSystemIgnored() ? '/dev/null' : '/var/lib/dpkg/status';
  const settings = join(work, 'apt.conf');
  await writeFile(
    settings,
    `Dir::State "${work}/state";
Dir::State::status "${status}";
Dir::Cache "${work}/cache";
Debug::NoLocking "true";
APT::Sandbox::User "root";
APT::Get::Assume-Yes "true";
APT::Install-Recommends "false";
Acquire::Languages "none";
Acquire::Retries "3";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
`,
  );
  const env = { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' };
  const aptGet = (...args: string[]) =>
    run('apt-get', ['-q', '-c', settings, ...args], { env, maxBuffer: 2 ** 24 });
  // A source that does not answer may not be needed: whether the packages are found decides.
  await aptGet('update').catch(() => undefined);
  return {
    archives,
    async download(name: string) {
      await rm(archives, { recursive: true, force: true });
      await mkdir(join(archives, 'partial'), { recursive: true });
      await aptGet('install', '--download-only', name);
    },
  };
}

async function unpack(archives: string, root: string): Promise<void> {
  await mkdir(root);
  // A C library works with the dynamic loader that it came with only, which is the system's.
  const files = (await readdir(archives)).filter(
    (file) => file.endsWith('.deb') && !file.startsWith('libc6_'),
  );
  for (const file of files) await run('dpkg-deb', ['--extract', join(archives, file), root]);
  await moveErlang(root);
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
