import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { openPackageSource, packageChoice } from './debian-packages.ts';

/** The programs that tests run, and the Debian packages that contain them. */
const PACKAGES = {
  'chromium-headless-shell': 'chromium-headless-shell',
  clamd: 'clamav-daemon',
  epmd: 'rabbitmq-server',
  initdb: 'postgresql',
  nginx: 'nginx',
  promtool: 'prometheus',
  pg_basebackup: 'postgresql',
  pg_dump: 'postgresql',
  pg_restore: 'postgresql',
  postgres: 'postgresql',
  psql: 'postgresql',
  rabbitmqctl: 'rabbitmq-server',
  'rabbitmq-server': 'rabbitmq-server',
  'redis-server': 'redis-server',
  'systemd-analyze': 'systemd',
} as const;

export type ProgramName = keyof typeof PACKAGES;
const NAMES = Object.keys(PACKAGES) as ProgramName[];

export interface Program {
  /** The path of the program. */
  command: string;
  /** Variables that the program needs besides those of the environment. They replace variables of the same name. */
  env: Record<string, string>;
}

/** Survives `npm ci`, and is not part of the repository. */
const CACHE = join(import.meta.dirname, '../.cache/debian', packageChoice());
/**
 * Debian's rabbitmq-server in the PATH is a wrapper that runs only as root or as the user rabbitmq, so the
 * original programs come first.
 */
const RABBITMQ = '/usr/lib/rabbitmq/bin';
const SYSTEM_FOLDERS = [RABBITMQ, '/usr/local/sbin', '/usr/sbin', '/sbin'];
/** The one in `bin` is a script with a fixed path to it. */
const CHROMIUM = '/usr/lib/chromium';
const PRIVATE_FOLDERS = [RABBITMQ, CHROMIUM, '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
/** Each major version of PostgreSQL has a folder of its own; the programs in the PATH choose one of them. */
const POSTGRES = '/usr/lib/postgresql';
/** With this variable set, the tests run the downloaded programs even if the system has them. */
const isSystemIgnored = () => Boolean(process.env['TEST_DOWNLOADED_PROGRAMS']);

/**
 * Returns the program, from the system or from the downloads of `prepareDebianPrograms`. Throws when neither
 * has it.
 */
export function program(name: ProgramName): Program {
  const found = onTheSystem(name) ?? downloaded(name);
  if (found) return found;
  throw new Error(
    `${name} is not installed, and could not be downloaded as a Debian package: ` +
      `install it (on Debian and Ubuntu: apt install ${PACKAGES[name]})`,
  );
}

/**
 * Downloads the Debian packages of programs that the system does not have into a folder of the project, each
 * with all its dependencies, installed or not. Nothing is installed and no privileges are needed. Does
 * nothing without apt-get. Rejects with the output of apt-get when it fails.
 */
export async function prepareDebianPrograms(): Promise<void> {
  const missing = NAMES.filter((name) => !onTheSystem(name) && !downloaded(name));
  if (missing.length === 0 || !existsSync('/usr/bin/apt-get')) return;
  await mkdir(CACHE, { recursive: true });
  const work = await mkdtemp(join(CACHE, 'download-'));
  try {
    const source = await openPackageSource(work);
    for (const name of new Set(missing.map((each) => PACKAGES[each]))) {
      const root = join(work, name);
      await source.extract(name, root);
      // Another run may have been faster. Its result is as good.
      await rename(root, join(CACHE, name)).catch(() => undefined);
    }
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/**
 * Returns the system's program, only if the system has all programs of the package that the tests run: the
 * epmd of one Erlang does not fit another.
 */
function onTheSystem(name: ProgramName): Program | undefined {
  if (isSystemIgnored()) return undefined;
  const folders = [...postgresFolders(), ...SYSTEM_FOLDERS, ...(process.env['PATH'] ?? '').split(delimiter)];
  const commandOf = (each: ProgramName) => folders.map((folder) => join(folder, each)).find(isExecutable);
  const isWhole = NAMES.every((each) => PACKAGES[each] !== PACKAGES[name] || commandOf(each));
  const command = commandOf(name);
  return isWhole && command ? { command, env: {} } : undefined;
}

function downloaded(name: ProgramName): Program | undefined {
  const root = join(CACHE, PACKAGES[name]);
  const folders = [...postgresFolders(root), ...PRIVATE_FOLDERS.map((folder) => join(root, folder))];
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

function postgresFolders(root = '/'): string[] {
  const versions = join(root, POSTGRES);
  if (!existsSync(versions)) return [];
  return readdirSync(versions).map((version) => join(versions, version, 'bin'));
}

/** Returns folders such as `lib/x86_64-linux-gnu`, which contain Debian's libraries. */
function multiarchFolders(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => /-linux-gnu/.test(name));
  // The programs of systemd and PulseAudio share libraries of their own.
  return names.flatMap((name) => ['', 'systemd', 'pulseaudio'].map((shared) => join(folder, name, shared)));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
