import { z } from 'zod';
import { ErasureId, UserId } from '../events/ids.ts';

/** An entry of the list: one person, who is erased for good. */
export const ErasedPerson = z.object({ userId: UserId, erasureId: ErasureId });
export type ErasedPerson = z.infer<typeof ErasedPerson>;

/**
 * The port of the list of erased people. It is kept apart from the database, because a backup that is restored does not
 * know of later erasures.
 */
export interface ErasedPeople {
  /** Resolves once the entry is on stable storage. */
  add(person: ErasedPerson): Promise<void>;
  all(): Promise<ErasedPerson[]>;
}
