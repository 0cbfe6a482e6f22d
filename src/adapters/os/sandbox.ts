import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Sandbox } from '../../files/inspect/sandbox.ts';
import { createSemaphore } from '../../kit/semaphore.ts';
import { type ConfinedProcess, type Limits, startConfined } from './sandbox-process.ts';

const PROGRAM = fileURLToPath(new URL('../../files/inspect/sandbox-process.ts', import.meta.url));

/** A 50 megapixel picture takes 200 MB unpacked; 400 MB of archive take 3 s. */
const LIMITS: Limits = {
  cpuSeconds: 40,
  memoryMib: 448,
  outputBytes: 1_048_576,
  stallMs: 60_000,
};
/** More processes would only compete with the rest of the machine. */
const PROCESSES = availableParallelism() > 2 ? 2 : 1;
const IDLE_MS = 60_000;

/**
 * Creates a sandbox of processes that run with nothing but their code: without this process's environment, at
 * a low priority, and within limits that the kernel enforces. One process inspects file after file, until it
 * has used half of its CPU time; it is killed with the file that passes a limit. A file has at least half of
 * `cpuSeconds`.
 */
export function createProcessSandbox({
  program = PROGRAM,
  limits = {},
  processes = PROCESSES,
}: {
  program?: string;
  limits?: Partial<Limits>;
  processes?: number;
} = {}): Sandbox & { close(): void } {
  const all: Limits = { ...LIMITS, ...limits };
  const places = createSemaphore(processes);
  const running = new Set<ConfinedProcess>();
  const idle = new Map<ConfinedProcess, NodeJS.Timeout>();

  function end(confined: ConfinedProcess): void {
    clearTimeout(idle.get(confined));
    idle.delete(confined);
    running.delete(confined);
    confined.kill('no longer needed');
  }

  async function take(): Promise<ConfinedProcess> {
    for (const [confined, timer] of idle) {
      clearTimeout(timer);
      idle.delete(confined);
      if (confined.isAlive()) return confined;
      running.delete(confined);
    }
    const started = startConfined(program, all);
    running.add(started);
    await started.ready.catch((error: unknown) => {
      end(started);
      throw error;
    });
    return started;
  }

  function giveBack(confined: ConfinedProcess): void {
    if (confined.usedCpuSeconds() > all.cpuSeconds / 2) return end(confined);
    idle.set(confined, setTimeout(() => end(confined), IDLE_MS).unref());
  }

  return {
    run: (task, signal, feed) =>
      places.run(async () => {
        const confined = await take();
        const work = confined.begin(task);
        const giveUp = () => end(confined);
        signal.addEventListener('abort', giveUp, { once: true });
        try {
          return await feed(work);
        } finally {
          signal.removeEventListener('abort', giveUp);
          if (work.isDone() && running.has(confined)) giveBack(confined);
          else end(confined);
        }
      }, signal),

    close() {
      for (const confined of running) end(confined);
    },
  };
}
