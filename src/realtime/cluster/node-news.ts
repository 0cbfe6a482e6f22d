import { z } from 'zod';
import { GroupId, UserId } from '../../events/ids.ts';

/**
 * Messages between the nodes of a cluster besides packets for clients. They are never trusted: they only say
 * where to read the log.
 */
export const nodeNews = {
  /** The roster of a group has reached a revision; `userId` is the user whom the change concerns. */
  roster: z.object({ groupId: GroupId, userId: UserId.optional(), revision: z.int().min(0) }),
  /** See `BroadcastProgress` of the delivery. */
  told: z.object({ until: z.number(), leftOutUntil: z.number() }),
};

export type RosterNews = z.output<typeof nodeNews.roster>;
