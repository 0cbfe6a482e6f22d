import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findProcess } from '../os/processes.ts';

/** Another process holds the data folder. Two processes on one folder would destroy it. */
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

/** Each lost attempt means that another process took or released the lock in between. */
const ATTEMPTS = 20;

/**
 * Locks the folder for this process, until it is released or the process is gone. The folder is made when
 * missing. Throws `DataDirInUse` while another living process holds it.
 */
export async function lockDataDir(dataDir: string): Promise<DataDirLock> {
  await mkdir(dataDir, { recursive: true, mode: 0o711 });
  const folder = await realpath(dataDir);
  const file = join(folder, 'lock');
  const own = await identity(process.pid);
  const ticket = `${file}.${randomUUID()}`;
  // Written aside and linked, so that no process reads half a lock.
  await writeFile(ticket, own, { flag: 'wx', mode: 0o644 });
  try {
    await take(file, { ticket, folder });
  } finally {
    await rm(ticket, { force: true });
  }
  return { release: () => release(file, own) };
}

async function take(file: string, by: { ticket: string; folder: string }): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if (await isLinked(by.ticket, file)) return;
    const holder = await read(file);
    if (holder === undefined) continue;
    const pid = Number.parseInt(holder, 10);
    if (pid > 0 && (await identity(pid)) === holder) throw new DataDirInUse(by.folder, pid);
    // Only one process at a time may remove a stale lock: a second one could remove a rival's new lock.
    const takeover = `${file}.takeover`;
    await take(takeover, by);
    if ((await read(file)) === holder) await rm(file, { force: true });
    await rm(takeover);
  }
  throw new Error(`The lock ${file} changes hands all the time`);
}

/**
 * Resolves with the pid, and the start time of the process where it is known: a pid alone is reused sooner or
 * later.
 */
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

const read = (file: string) => readFile(file, 'utf8').catch(() => undefined);

async function release(file: string, own: string): Promise<void> {
  if ((await read(file)) === own) await rm(file, { force: true });
}
