import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { descendants } from '../tools/server-process.ts';

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** Returns the CPU time of a process so far, in microseconds; 0 once it is gone. */
export function cpuMicros(pid: number): number {
  try {
    // Fields 14 and 15 of the line, counted after the name in brackets: user and system time in clock ticks.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    return ((Number(fields[11]) + Number(fields[12])) * 1e6) / TICKS_PER_SECOND;
  } catch {
    return 0;
  }
}

/** Returns the CPU time of a process and its descendants, in microseconds. */
export const cpuMicrosOfTree = (pid: number) =>
  [pid, ...descendants(pid)].reduce((sum, id) => sum + cpuMicros(id), 0);

/** Returns the resident memory of a process, in bytes. */
export function residentBytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) * 1_024;
}
