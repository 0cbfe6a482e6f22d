import { setTimeout as pause } from 'node:timers/promises';

/** Waits until so much may pass. */
export type Throttle = (amount: number) => Promise<unknown>;

/** Timers are no finer. */
const SHORTEST_MS = 2;

/** Lets so much pass in a second, in the order in which it is asked for. */
export function createThrottle(
  perSecond: number,
  { now = () => performance.now(), sleep = pause as (ms: number) => Promise<unknown> } = {},
): Throttle {
  /** When all that has been let through is paid for. */
  let paidAt = -Infinity;
  return async (amount) => {
    const at = now();
    paidAt = Math.max(paidAt, at) + (amount / perSecond) * 1_000;
    if (paidAt - at > SHORTEST_MS) await sleep(paidAt - at);
  };
}
