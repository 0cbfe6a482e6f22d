import { z } from 'zod';
import { GroupId, UserId } from '../../events/ids.ts';

/**
 * What the nodes of a cluster tell each other besides what clients hear. News are never believed: they only say where it
 * is worth looking at the log.
 */
export const nodeNews = {
  /** The roster of a group has come to a revision; `userId` is whom it concerns. */
  roster: z.object({ groupId: GroupId, userId: UserId.optional(), revision: z.int().min(0) }),
  /** See `Progress` of the delivery. */
  told: z.object({ until: z.number(), leftOutUntil: z.number() }),
};

export type RosterNews = z.output<typeof nodeNews.roster>;
