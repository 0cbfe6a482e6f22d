import { execFile } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The means to start a program that refuses to run as root. */
export interface Unprivileged {
  /** Returns the program and its arguments, as `spawn` takes them. */
  command(program: string, args: string[]): [program: string, args: string[]];
  /** The user to become, for `spawn`. */
  identity: { uid?: number; gid?: number };
  /** The owner of the program's files; undefined when that is the current user. */
  owner: { uid: number; gid: number } | undefined;
}

/**
 * Finds a way to run PostgreSQL without root privileges. PostgreSQL refuses to run as root, and many
 * containers run as root. When the process runs as root, the server runs as the owner of the data if that is
 * another user, otherwise as `postgres` or `nobody`. If that user cannot access the folder or the program, for
 * example in a project below /root, the server keeps the capability to bypass file permissions. Throws when
 * neither works.
 */
export async function unprivileged(folder: string, data: string, program: string): Promise<Unprivileged> {
  if (process.getuid?.() !== 0) return { command: (...line) => line, identity: {}, owner: undefined };

  const owner = (await ownerOf(data)) ?? (await systemUser());
  const plain: Unprivileged = { command: (...line) => line, identity: owner, owner };
  const ids = [`--reuid=${owner.uid}`, `--regid=${owner.gid}`, '--clear-groups'];
  const capability = [
    '--inh-caps=+dac_override',
    '--ambient-caps=+dac_override',
    '--securebits=+no_setuid_fixup',
  ];
  const passingBy: Unprivileged = {
    command: (file, args) => ['setpriv', [...ids, ...capability, '--', file, ...args]],
    identity: {},
    owner,
  };
  const faults: string[] = [];
  for (const way of [plain, passingBy]) {
    const fault = await trial(way, folder, program);
    if (!fault) return way;
    faults.push(fault);
  }
  throw new Error(
    `PostgreSQL does not run as root, and user ${owner.uid} cannot use ${folder} and ${program} ` +
      `(${faults.join('; ')}). Start as another user, or set DATA_DIR to a folder that others may enter.`,
  );
}

/** Resolves with undefined when the user can enter the folder and start the program, or else with the error. */
async function trial(way: Unprivileged, folder: string, program: string): Promise<string | undefined> {
  const [file, args] = way.command('/bin/sh', [
    '-c',
    'cd "$1" && exec "$2" --version',
    'sh',
    folder,
    program,
  ]);
  try {
    await run(file, args, { ...way.identity, cwd: '/' });
    return undefined;
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    return stderr?.trim() || message;
  }
}

async function ownerOf(folder: string): Promise<{ uid: number; gid: number } | undefined> {
  const found = await stat(folder).catch(() => undefined);
  return found && found.uid !== 0 ? { uid: found.uid, gid: found.gid } : undefined;
}

async function systemUser(): Promise<{ uid: number; gid: number }> {
  const users = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  const found = ['postgres', 'nobody'].flatMap((name) => users.filter(([user]) => user === name))[0];
  if (!found)
    throw new Error('PostgreSQL does not run as root, and there is no user postgres or nobody here');
  return { uid: Number(found[2]), gid: Number(found[3]) };
}
