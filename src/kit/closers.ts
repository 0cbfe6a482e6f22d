import type { Logger } from 'pino';

/** A stack of open resources, closed in reverse order. */
export interface Closers {
  /**
   * Registers a resource. Call it as soon as the resource is open, so that a start that fails half-way closes
   * what it opened.
   */
  add(name: string, close: () => unknown): void;
  /**
   * Closes each resource in reverse order, even after one fails. A second call waits for the first. Throws
   * the first error.
   */
  closeAll(): Promise<void>;
}

/** Returns an empty stack. `log` gets a line for each resource that closes or fails to. */
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
