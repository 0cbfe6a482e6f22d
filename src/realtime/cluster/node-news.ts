import { z } from 'zod';
import { GroupId, UserId } from '../../events/ids.ts';

/**
 * What the nodes of a cluster tell each other besides what clients get. News are never trusted: they only say where to read
 * the log.
 */
export const nodeNews = {
  /** The roster of a group has come to a revision; `userId` is whom it concerns. */
  roster: z.object({ groupId: GroupId, userId: UserId.optional(), revision: z.int().min(0) }),
  /** See `Progress` of the delivery. */
  told: z.object({ until: z.number(), leftOutUntil: z.number() }),
};

export type RosterNews = z.output<typeof nodeNews.roster>;
