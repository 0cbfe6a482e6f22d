import { setTimeout as pause } from 'node:timers/promises';

/** Resolves once `amount` may pass. */
export type Throttle = (amount: number) => Promise<unknown>;

/** The resolution of timers. */
const SHORTEST_MS = 2;

/** Creates a throttle that lets `perSecond` pass in a second, in the order of the calls. */
export function createThrottle(
  perSecond: number,
  { now = () => performance.now(), sleep = pause as (ms: number) => Promise<unknown> } = {},
): Throttle {
  /** The time at which everything let through so far is paid for. */
  let paidAt = -Infinity;
  return async (amount) => {
    const at = now();
    paidAt = Math.max(paidAt, at) + (amount / perSecond) * 1_000;
    if (paidAt - at > SHORTEST_MS) await sleep(paidAt - at);
  };
}
