import { execFile } from 'node:child_process';
import { readFile, readdir } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import type { Unprivileged } from '../../../src/adapters/os/unprivileged.ts';
import { program } from '../../../tools/debian-programs.ts';

const ROOT = join(import.meta.dirname, '../../..');

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

interface RunOptions {
  env: Record<string, string>;
  /** The user to become. */
  as?: Unprivileged;
}

/** The folders that stand for those in the document. */
export interface BackupFolders {
  backups: string;
  vault: string;
}

/** The commands in docs/backup.md. */
export interface BackupCommands {
  /** Returns a block of configuration under a heading. */
  configuration(heading: string): string;
  /** Runs the n-th block of commands under a heading, in a shell that ends with the first error. */
  attempt(heading: string, n: number, options: RunOptions): Promise<Ran>;
  /** Runs it likewise. Resolves with its standard output, and rejects with its errors when it fails. */
  run(heading: string, n: number, options: RunOptions): Promise<string>;
  /** Returns the blocks that were neither run nor read, each by its heading and number. */
  unused(): string[];
}

/** Resolves with the path of the newest backup whose name begins so: the commands put the time into names. */
export async function newestIn(folder: string, prefix: string): Promise<string> {
  const names = (await readdir(folder)).filter((name) => name.startsWith(prefix)).sort();
  const newest = names.at(-1);
  if (newest === undefined) throw new Error(`${folder} has no ${prefix}`);
  return join(folder, newest);
}

/** Reads docs/backup.md. */
export async function readBackupCommands({ backups, vault }: BackupFolders): Promise<BackupCommands> {
  const text = await readFile(join(ROOT, 'docs/backup.md'), 'utf8');
  const blocks = new Map<string, string>();
  for (const section of text.split(/^#+ /m).slice(1)) {
    const heading = section.slice(0, section.indexOf('\n'));
    for (const language of ['sh', 'ini'])
      [...section.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, 'gm'))].forEach(([, block], n) =>
        blocks.set(
          `${heading}, ${language} ${n + 1}`,
          block!.replaceAll('/backups', backups).replaceAll('/vault', vault),
        ),
      );
  }
  const unused = new Set(blocks.keys());

  function take(name: string): string {
    const block = blocks.get(name);
    if (block === undefined) throw new Error(`docs/backup.md has no block "${name}"`);
    unused.delete(name);
    return block;
  }
  const { command, env: programEnv } = program('psql');

  async function attempt(heading: string, n: number, { env, as }: RunOptions): Promise<Ran> {
    const line = ['--norc', '-euo', 'pipefail', '-c', take(`${heading}, sh ${n}`)];
    const [file, args] = as ? as.command('/bin/bash', line) : ['/bin/bash', line];
    const { PATH = '', HOME = '' } = process.env;
    const options = {
      cwd: as ? '/' : ROOT,
      env: {
        ...programEnv,
        ...{ HOME, PATH: [dirname(command), dirname(process.execPath), PATH].join(delimiter) },
        ...env,
      },
      ...as?.identity,
    };
    return new Promise((resolve) =>
      execFile(file, args, options, (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
      ),
    );
  }

  return {
    configuration: (heading) => take(`${heading}, ini 1`),
    attempt,
    async run(heading, n, options) {
      const { code, stdout, stderr } = await attempt(heading, n, options);
      if (code !== 0) throw new Error(`"${heading}, sh ${n}" ended with ${code}: ${stdout}${stderr}`);
      return stdout;
    },
    unused: () => [...unused],
  };
}
