import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findProcess } from './processes.ts';

/** Two processes on one data folder would destroy it. */
export class DataDirInUse extends Error {
  override readonly name = 'DataDirInUse';
  readonly pid: number;

  constructor(dataDir: string, pid: number) {
    super(`The data folder ${dataDir} is in use by process ${pid}: stop that one, or set another DATA_DIR`);
    this.pid = pid;
  }
}

export interface DataDirLock {
  release(): Promise<void>;
}

/** A rival that takes over the same stale lock is at it for less than this many attempts. */
const ATTEMPTS = 5;

/**
 * Holds the folder for this process, until released or until the process is gone. The folder is made when missing.
 * Throws `DataDirInUse` while another living process holds it.
 */
export async function lockDataDir(dataDir: string): Promise<DataDirLock> {
  await mkdir(dataDir, { recursive: true, mode: 0o711 });
  const folder = await realpath(dataDir);
  const file = join(folder, 'lock');
  const own = await identity(process.pid);
  const ticket = `${file}.${randomUUID()}`;
  // Made aside and linked, so that nobody ever reads half a lock.
  await writeFile(ticket, own, { flag: 'wx', mode: 0o644 });
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      if (await isLinked(ticket, file)) return { release: () => release(file, own) };
      const holder = await readFile(file, 'utf8').catch(() => '');
      const pid = Number.parseInt(holder, 10);
      if (pid > 0 && (await identity(pid)) === holder) throw new DataDirInUse(folder, pid);
      await removeStale(file, holder);
    }
    throw new Error(`The lock ${file} changes hands all the time`);
  } finally {
    await rm(ticket, { force: true });
  }
}

/** The pid, and when the process started where that is known: a pid alone is given to another program sooner or later. */
async function identity(pid: number): Promise<string> {
  const found = await findProcess(pid);
  return found ? `${pid} ${found.startedAt ?? ''}\n` : '';
}

async function isLinked(ticket: string, file: string): Promise<boolean> {
  try {
    await link(ticket, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Moves it away first: a rival may have taken over in the meantime, and then gets its own lock back. */
async function removeStale(file: string, stale: string): Promise<void> {
  const aside = `${file}.${randomUUID()}`;
  try {
    await rename(file, aside);
  } catch {
    return;
  }
  if ((await readFile(aside, 'utf8')) !== stale) await isLinked(aside, file);
  await rm(aside, { force: true });
}

async function release(file: string, own: string): Promise<void> {
  if ((await readFile(file, 'utf8').catch(() => '')) === own) await rm(file, { force: true });
}
