import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../../..');

export interface ReadmeClient {
  /** Everything that it has printed. */
  output(): string;
  isRunning(): boolean;
  stop(): Promise<void>;
}

/** Runs the client in README.md unchanged, in a process of its own. */
export async function startReadmeClient(env: {
  SERVER: string;
  EMAIL: string;
  PASSWORD: string;
}): Promise<ReadmeClient> {
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8');
  const program = /```js\n(import \{ createChatClient \}[^]*?)```/.exec(readme)?.[1];
  if (program === undefined) throw new Error('the README has no client');
  // Next to node_modules, where a user would put it.
  await mkdir(join(ROOT, '.cache'), { recursive: true });
  const folder = await mkdtemp(join(ROOT, '.cache/readme-'));
  await writeFile(join(folder, 'chat.mjs'), program);
  const child: ChildProcess = spawn(process.execPath, ['chat.mjs'], { cwd: folder, env: { ...env } });
  let output = '';
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (output += text));
  return {
    output: () => output,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    async stop() {
      const gone = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
      child.kill('SIGKILL');
      await gone;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
