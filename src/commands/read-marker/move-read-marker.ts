import { z } from 'zod';
import { GroupId, type UserId } from '../../events/ids.ts';
import { type Room, mayInRoom } from '../chat-group/room.ts';
import type { Actor } from '../command.ts';
import { ensure } from '../rejection.ts';

/** A member has read up to `seq`. */
export interface Reading {
  groupId: GroupId;
  userId: UserId;
  seq: number;
}

/** The port of the markers. */
export interface ReadMarkers {
  /**
   * Moves the marker of a user to `seq`, never back and never past the head. `moved` is false when the marker
   * was there or beyond already. Throws GROUP_NOT_FOUND for users who may not read the group, and `NotCaughtUp`.
   */
  move(
    groupId: GroupId,
    actor: Actor,
    seq: number,
  ): Promise<{ seq: number; unreadCount: number; moved: boolean }>;
}

export const moveReadMarkerInput = z.strictObject({ groupId: GroupId, seq: z.int().min(0) });

/**
 * Returns the position of a member's read marker after a move to `seq`. It never moves back, nor past the
 * head. Reading is not recorded in the log (a message would cost one event per reader): the marker is a row
 * of its own.
 */
export function moveReadMarker(
  { seq }: { seq: number },
  known: Room & { marker: number; headSeq: number },
  { userId }: { userId: UserId },
): number {
  ensure(mayInRoom(known, userId, 'read'), 'GROUP_NOT_FOUND');
  return Math.max(known.marker, Math.min(seq, known.headSeq));
}
