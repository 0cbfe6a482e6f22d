import { within } from '../../src/kit/deadline.ts';
import { reasonOf } from '../../src/kit/reason.ts';

/** What one check has found. */
export interface Finding {
  /** What was looked at: `redis`, `postgresql: clock`. */
  check: string;
  status: 'ok' | 'warning' | 'fault';
  detail: string;
  /** What the operator does about it; undefined for `ok`. */
  remedy?: string;
}

export const ok = (check: string, detail: string): Finding => ({ check, status: 'ok', detail });
export const warning = (check: string, detail: string, remedy: string): Finding => ({
  ...{ check, status: 'warning', detail },
  remedy,
});
export const fault = (check: string, detail: string, remedy: string): Finding => ({
  ...{ check, status: 'fault', detail },
  remedy,
});

/** A neighbour that accepts a connection may still never answer. */
const LOOK_MS = 30_000;

/** Resolves with the findings of a check, or with its failure as one; so when it takes longer than half a minute. */
export async function look(
  check: string,
  remedy: string,
  work: () => Promise<Finding[]>,
): Promise<Finding[]> {
  try {
    return await within(work(), LOOK_MS, () => {
      throw new Error(`no answer within ${LOOK_MS / 1_000} s`);
    });
  } catch (error) {
    return [fault(check, reasonOf(error), remedy)];
  }
}

const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|::1|\[::1\])$/;
/** Returns true for a host that is this machine: what is sent there crosses no network. */
export const isHere = (host: string): boolean => host === '' || host.startsWith('/') || LOOPBACK.test(host);
