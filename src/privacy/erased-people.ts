import { z } from 'zod';
import { ErasureId, UserId } from '../events/ids.ts';

/** An entry of the list: one person, who is erased for good. */
export const ErasedPerson = z.object({ userId: UserId, erasureId: ErasureId });
export type ErasedPerson = z.infer<typeof ErasedPerson>;

/**
 * The port of the list of erased people. It is kept apart from the database, because a backup that is restored does not
 * know of later erasures. One contract suite (test/privacy/erased-people-contract.ts) runs against every adapter.
 */
export interface ErasedPeople {
  /** Resolves once the entry is on stable storage. An entry of the same person, if there is one, stays as it is. */
  add(person: ErasedPerson): Promise<void>;
  /** Resolves with all entries, in any order. */
  all(): Promise<ErasedPerson[]>;
}
