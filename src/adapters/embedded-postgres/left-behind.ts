import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { findProcess, isPidTaken } from '../os/processes.ts';

/** Time for a fast shutdown before the immediate one, which loses nothing either, but recovers at the next start. */
const FAST_SHUTDOWN_MS = 5_000;
const IMMEDIATE_SHUTDOWN_MS = 20_000;

/**
 * Prepares a start on a data folder whose last user was killed. Shuts down a PostgreSQL that was left
 * running, and removes a pid file that names a zombie or another program's process. A pid file that names no
 * process is left to PostgreSQL, which checks it more thoroughly. The caller holds the lock of the data
 * folder, so no other process uses it.
 */
export async function clearLeftBehind(data: string, log: Logger): Promise<void> {
  const pidFile = join(data, 'postmaster.pid');
  const pid = Number.parseInt(await readFile(pidFile, 'utf8').catch(() => ''), 10);
  if (!(pid > 0) || !isPidTaken(pid)) return;
  if (!(await serves(pid, data))) {
    log.debug({ pid }, 'postmaster.pid is stale; ignoring it');
    return rm(pidFile, { force: true });
  }
  log.warn({ pid }, 'found a PostgreSQL left behind by a killed process; shutting it down');
  if (await ends(pid, 'SIGINT', FAST_SHUTDOWN_MS)) return;
  if (await ends(pid, 'SIGQUIT', IMMEDIATE_SHUTDOWN_MS)) return;
  throw new Error(`PostgreSQL (pid ${pid}) still runs on ${data} and does not stop`);
}

async function ends(pid: number, signal: 'SIGINT' | 'SIGQUIT', withinMs: number): Promise<boolean> {
  const deadline = Date.now() + withinMs;
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
  while (await findProcess(pid)) {
    if (Date.now() > deadline) return false;
    await pause(20);
  }
  return true;
}

/** Resolves with true if the process is the PostgreSQL of this folder: its command line names the folder after -D. */
async function serves(pid: number, data: string): Promise<boolean> {
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => undefined);
  // Without /proc (macOS) only the pid file is known.
  if (commandLine === undefined) return process.platform !== 'linux';
  const args = commandLine.split('\0');
  return args[args.indexOf('-D') + 1] === data && (args[0] ?? '').endsWith('postgres');
}
