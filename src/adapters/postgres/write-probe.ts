import type pg from 'pg';
import { reasonOf } from '../../kit/reason.ts';

/** Tells whether commands can be stored, by storing something. */
export interface WriteProbe {
  /** Resolves with the reason why nothing can be stored; undefined if it can. */
  failure(): Promise<string | undefined>;
  /** Records that a call could not be answered, so that the next look is a thorough one. */
  suspect(): void;
}

/** Time for which a success is reused. */
const FRESH_MS = 2_000;
/** The same for a failure, and for a success that calls have made doubtful. */
const DOUBTFUL_MS = 500;

const WRITE = 'update write_probe set written_at = clock_timestamp()';
const PROVE = 'select prove_writing()';

/**
 * Creates a probe on the connections of commands. It writes one row, at most every 2 s. After a failure, its own or
 * that of a call, it also takes new pages from the disk, see 0034-write-probe.sql.
 */
export function createWriteProbe(pool: Pick<pg.Pool, 'query'>): WriteProbe {
  let lookedAt = -Infinity;
  let failure: string | undefined;
  let isDoubtful = false;

  return {
    async failure() {
      const isThorough = isDoubtful || failure !== undefined;
      if (performance.now() - lookedAt < (isThorough ? DOUBTFUL_MS : FRESH_MS)) return failure;
      lookedAt = performance.now();
      isDoubtful = false;
      try {
        await pool.query(isThorough ? PROVE : WRITE);
        failure = undefined;
      } catch (error) {
        failure = reasonOf(error);
      }
      return failure;
    },
    suspect: () => void (isDoubtful = true),
  };
}
