import { readFile } from 'node:fs/promises';

/** A process of this machine, told apart from a later one with the same pid by when it started. */
export interface RunningProcess {
  pid: number;
  /** In clock ticks since boot; undefined where /proc does not exist (macOS). */
  startedAt: string | undefined;
}

/** The process with this pid, or undefined when there is none or only its zombie. */
export async function findProcess(pid: number): Promise<RunningProcess | undefined> {
  if (!isPidTaken(pid)) return undefined;
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (stat === undefined) return process.platform === 'linux' ? undefined : { pid, startedAt: undefined };
  // The second field is the program's name in brackets and may hold anything: count from the last bracket (proc(5)).
  const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return state === 'Z' || state === 'X' ? undefined : { pid, startedAt: rest[18] };
}

/** Whether anything has this pid: any user's process, also a zombie that nobody has buried. */
export function isPidTaken(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
