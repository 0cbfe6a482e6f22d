import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { npmGone } from '../src/adapters/os/npm-gone.ts';

// npm run dev: restarts the server after every change of its sources. Node's own watcher would outlive npm's
// shell.
const watcher = spawn(process.execPath, ['--watch', 'src/main.ts'], {
  cwd: join(import.meta.dirname, '..'),
  stdio: 'inherit',
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => void watcher.kill(signal));
watcher.once('exit', (code) => process.exit(code ?? 1));
void npmGone(process.env).then(() => watcher.kill('SIGTERM'));
