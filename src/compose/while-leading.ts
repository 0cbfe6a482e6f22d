import { once } from 'node:events';
import type { Leases } from '../adapters/postgres/leases.ts';

/** A part that runs only while this process leads it. */
export interface WhileLeading<T> {
  /** Undefined while another process leads. */
  running(): T | undefined;
  /** Resolves once it has stopped here and other processes may lead. */
  stop(): Promise<void>;
}

/** Starts a part whenever this process begins to lead, and stops it when it no longer does. */
export function whileLeading<T extends { stop(): Promise<void> }>(
  leases: Leases,
  name: string,
  start: () => T | Promise<T>,
): WhileLeading<T> {
  let running: T | undefined;
  const { stop } = leases.lead(name, async (signal) => {
    const started = await start();
    running = started;
    try {
      if (!signal.aborted) await once(signal, 'abort');
    } finally {
      running = undefined;
      await started.stop();
    }
  });
  return { running: () => running, stop };
}
