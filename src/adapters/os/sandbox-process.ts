import { spawn } from 'node:child_process';
import { z } from 'zod';
import {
  BudgetExceeded,
  type Result,
  SandboxUnavailable,
  type Task,
  type Work,
  results,
} from '../../files/inspect/sandbox.ts';

export interface Limits {
  /** CPU time of a process, over all files. */
  cpuSeconds: number;
  /** Memory in addition to what Node itself takes. */
  memoryMib: number;
  /** Size of one answer. */
  outputBytes: number;
  /** Longest time without taking bytes, or without an answer after all of them. */
  stallMs: number;
}

/** One process of the sandbox. */
export interface ConfinedProcess {
  /** Rejects with `SandboxUnavailable` when the process does not start. */
  ready: Promise<void>;
  isAlive(): boolean;
  usedCpuSeconds(): number;
  /** Starts a task. One at a time. */
  begin<T extends Task>(task: T): Work<Result<T>> & { isDone(): boolean };
  kill(why: string): void;
}

const START_MS = 60_000;
/** Memory that V8 reserves at the start, most of which is never used. */
const NODE_MIB = 640;
const HEAP_MIB = 192;

/**
 * Returns a shell script that runs a program without core dumps and files, with limited CPU time and memory.
 * The process is the first to be killed when the machine is out of memory, and has a low priority.
 */
const CONFINED = ({ cpuSeconds, memoryMib }: Limits) =>
  [
    'ulimit -c 0',
    'ulimit -f 0',
    `ulimit -t ${cpuSeconds}`,
    `ulimit -d ${(NODE_MIB + memoryMib) * 1_024}`,
    '{ echo 1000 > /proc/self/oom_score_adj; } 2>/dev/null',
    'exec nice -n 10 "$0" "$@"',
  ].join('; ');

const Ready = z.strictObject({ ready: z.literal(true) });
const Answered = z.strictObject({ cpuSeconds: z.number() });

/** Starts a process that follows the protocol of files/inspect/sandbox-process.ts. */
export function startConfined(program: string, limits: Limits): ConfinedProcess {
  const child = spawn(
    '/bin/sh',
    ['-c', CONFINED(limits), process.execPath, `--max-old-space-size=${HEAP_MIB}`, program],
    { stdio: ['pipe', 'pipe', 'ignore'], env: {} },
  );
  const { promise: ended, reject: fail } = Promise.withResolvers<never>();
  // The running task gets the error.
  ended.catch(() => undefined);
  let isAlive = true;
  let usedCpuSeconds = 0;
  let why: string | undefined;
  let output = '';
  let line = Promise.withResolvers<string>();

  function kill(reason: string): void {
    why ??= reason;
    child.kill('SIGKILL');
  }

  function gone(reason: string): void {
    isAlive = false;
    fail(new BudgetExceeded(`The process that works on files ${why ?? reason}`));
  }

  child.on('error', (error) => gone(`could not be started: ${error.message}`));
  child.on('close', (code, signal) => gone(`ended with ${signal ?? code}`));
  // The end of the process reports it.
  child.stdin.on('error', () => undefined);
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (output.length > limits.outputBytes) return kill('wrote too much');
    if (output.endsWith('\n')) line.resolve(output);
  });

  /** Waits for a step of the process, and kills the process when it takes too long. */
  async function inTime<T>(step: Promise<T>, milliseconds = limits.stallMs): Promise<T> {
    const timer = setTimeout(() => kill(`did nothing for ${milliseconds} ms`), milliseconds);
    try {
      return await Promise.race([step, ended]);
    } finally {
      clearTimeout(timer);
    }
  }

  async function answer<S extends z.ZodType>(schema: S, milliseconds?: number): Promise<z.infer<S>> {
    const text = await inTime(line.promise, milliseconds);
    output = '';
    line = Promise.withResolvers();
    try {
      return schema.parse(JSON.parse(text));
    } catch {
      kill('wrote nonsense');
      return ended;
    }
  }

  function writeFrame(bytes: Uint8Array): Promise<void> {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    return new Promise((resolve) => {
      child.stdin.cork();
      child.stdin.write(length);
      // The end of the process tells more than a broken pipe.
      child.stdin.write(bytes, (error) => resolve(error ? ended : undefined));
      child.stdin.uncork();
    });
  }

  return {
    ready: answer(Ready, START_MS).then(
      () => undefined,
      (error: unknown) => {
        throw new SandboxUnavailable('No process that works on files could be started', { cause: error });
      },
    ),
    isAlive: () => isAlive,
    usedCpuSeconds: () => usedCpuSeconds,
    kill,
    begin(task) {
      let isDone = false;
      const taskSent = writeFrame(Buffer.from(JSON.stringify(task)));
      return {
        isDone: () => isDone,
        async write(chunk) {
          await taskSent;
          if (chunk.length > 0) await inTime(writeFrame(chunk));
        },
        async result() {
          await inTime(taskSent.then(() => writeFrame(new Uint8Array())));
          const answered = await answer(Answered.extend({ result: results[task.task] }));
          usedCpuSeconds = answered.cpuSeconds;
          isDone = true;
          return answered.result as Result<typeof task>;
        },
      };
    },
  };
}
