import { z } from 'zod';
import { GroupId, type UserId } from '../../events/ids.ts';
import type { ChatGroup } from '../chat-group/chat-group.ts';
import { require } from '../rejection.ts';

export const moveReadMarkerInput = z.strictObject({ groupId: GroupId, seq: z.int().min(0) });

/**
 * Where a member's read marker stands after it asked for `seq`. It never moves back, nor past the head.
 * Reading is not a fact of the log (a message would cost one event per reader): the marker is a row of its own.
 */
export function moveReadMarker(
  { seq }: { seq: number },
  known: { group: ChatGroup; marker: number; headSeq: number },
  { userId }: { userId: UserId },
): number {
  require(known.group.status !== 'none' && known.group.members.has(userId), 'GROUP_NOT_FOUND');
  return Math.max(known.marker, Math.min(seq, known.headSeq));
}
