import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { backOffMs } from '../../kit/back-off.ts';
import type { UserId } from '../../events/ids.ts';
import type { Reach, Reached } from './whereabouts.ts';

interface PatientLookOptions {
  reach: Reach;
  /** Hears why nobody can tell. */
  onFailure: (error: Error) => void;
  signal: AbortSignal;
  log: Logger;
}

const BACK_OFF_MS = { first: 100, most: 5_000 };

/**
 * Looks how some users are reached, and waits for as long as nobody can tell: nobody is away only because that is not
 * known. Rejects when the signal aborts.
 */
export const patientLook =
  ({ reach, onFailure, signal, log }: PatientLookOptions) =>
  async (userIds: readonly UserId[]): Promise<Reached> => {
    for (let attempts = 0; ; attempts += 1) {
      try {
        return await reach.look(userIds);
      } catch (error) {
        const failure = error instanceof Error ? error : new Error(String(error));
        onFailure(failure);
        if (attempts === 0) log.warn({ err: failure }, 'the notifier cannot ask who is online; waiting');
        const pauseMs = backOffMs(BACK_OFF_MS, attempts + 1);
        await pause(pauseMs, undefined, { signal });
      }
    }
  };
