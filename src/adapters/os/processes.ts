import { readFile } from 'node:fs/promises';

/** A process of this machine. Its start time distinguishes it from a later one with the same pid. */
export interface RunningProcess {
  pid: number;
  /** In clock ticks since boot; undefined where /proc does not exist (macOS). */
  startedAt: string | undefined;
}

/** Resolves with the process with this pid; undefined when there is none or only its zombie. */
export async function findProcess(pid: number): Promise<RunningProcess | undefined> {
  if (!isPidTaken(pid)) return undefined;
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (stat === undefined) return process.platform === 'linux' ? undefined : { pid, startedAt: undefined };
  // The second field is the program's name in brackets and may contain anything: count from the last bracket
  // (proc(5)).
  const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return state === 'Z' || state === 'X' ? undefined : { pid, startedAt: rest[18] };
}

/** Returns true if any process has this pid, of any user, also a zombie. */
export function isPidTaken(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
