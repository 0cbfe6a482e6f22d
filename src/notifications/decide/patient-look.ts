import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { backOffMs } from '../../kit/back-off.ts';
import { reasonOf } from '../../kit/reason.ts';
import type { UserId } from '../../events/ids.ts';
import type { WhereaboutsSource, Whereabouts } from './whereabouts.ts';

interface PatientLookOptions {
  whereabouts: WhereaboutsSource;
  /** Called with the reason why reachability is unknown. */
  onFailure: (error: Error) => void;
  signal: AbortSignal;
  log: Logger;
}

const BACK_OFF_MS = { first: 100, most: 5_000 };

/**
 * Looks up how users are reached, and retries for as long as that cannot be determined: a user must not count
 * as away only because it is unknown. Rejects when the signal aborts.
 */
export const patientLook =
  ({ whereabouts, onFailure, signal, log }: PatientLookOptions) =>
  async (userIds: readonly UserId[]): Promise<Whereabouts> => {
    for (let attempts = 0; ; attempts += 1) {
      try {
        return await whereabouts.look(userIds);
      } catch (error) {
        const failure = error instanceof Error ? error : new Error(reasonOf(error));
        onFailure(failure);
        if (attempts === 0) log.warn({ err: failure }, 'the notifier cannot ask who is online; waiting');
        const pauseMs = backOffMs(BACK_OFF_MS, attempts + 1);
        await pause(pauseMs, undefined, { signal });
      }
    }
  };
