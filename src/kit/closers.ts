import type { Logger } from 'pino';

/** What was opened, to be closed in reverse. */
export interface Closers {
  /** Call it as soon as the thing is open, so that a start that fails half-way closes what it had opened. */
  add(name: string, close: () => unknown): void;
  /** Closes each in reverse order, also after one failed; the second call waits for the first. Throws the first error. */
  closeAll(): Promise<void>;
}

/** `log` hears what is closed and what failed to. */
export function closers(log: Logger): Closers {
  const open: { name: string; close: () => unknown }[] = [];
  let closing: Promise<void> | undefined;

  async function closeEach(): Promise<void> {
    const faults: unknown[] = [];
    for (let next = open.pop(); next; next = open.pop()) {
      try {
        await next.close();
        log.debug({ closed: next.name }, 'closed');
      } catch (err) {
        log.error({ err, closing: next.name }, 'a part did not close cleanly; shutdown continues');
        faults.push(err);
      }
    }
    if (faults.length > 0) throw faults[0];
  }

  return {
    add: (name, close) => void open.push({ name, close }),
    closeAll: () => (closing ??= closeEach()),
  };
}
