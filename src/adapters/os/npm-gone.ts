import { isPidTaken } from './processes.ts';

const LOOK_MS = 200;

/**
 * Resolves when npm, or the shell in which npm runs a script, is gone: a signal that ends them may not reach
 * this process. Never resolves in a process that npm did not start.
 */
export function npmGone(env: NodeJS.ProcessEnv): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (env['npm_lifecycle_event'] === undefined) return promise;
  const parent = process.ppid;
  const look = setInterval(() => {
    // On Windows the parent's pid stays the same after the parent is gone.
    if (process.ppid === parent && isPidTaken(parent)) return;
    clearInterval(look);
    resolve();
  }, LOOK_MS);
  look.unref();
  return promise;
}
