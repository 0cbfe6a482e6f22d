import { z } from 'zod';
import { GivenReason } from '../../events/audit.ts';
import type { HoldEvent } from '../../events/domain-event.ts';
import { GroupId, HoldId } from '../../events/ids.ts';
import { holdStream } from '../../events/streams.ts';
import { type ChatGroup, chatGroupOf } from '../chat-group/chat-group.ts';
import { defineCommand } from '../command.ts';
import { ensure } from '../rejection.ts';
import { type Hold, holdOf } from './hold.ts';

const input = z.strictObject({ holdId: HoldId, groupId: GroupId, reason: GivenReason });

/** Keeps a group from erasure and retention. */
export const placeHold = defineCommand<z.infer<typeof input>, { group: ChatGroup; hold: Hold }, HoldEvent>({
  name: 'PlaceHold',
  input,
  refuses: ['ROLE_NOT_ALLOWED', 'GROUP_NOT_FOUND'],
  opens: true,
  writes: ({ holdId }) => holdStream(holdId),
  reads: ({ holdId, groupId }) => ({ group: chatGroupOf(groupId), hold: holdOf(holdId) }),
  decide: (placing, { group, hold }, { actor }) => {
    ensure(actor !== 'system' && actor.role === 'auditor', 'ROLE_NOT_ALLOWED');
    ensure(group.status !== 'none', 'GROUP_NOT_FOUND');
    return hold.status === 'none' ? [{ type: 'HoldPlaced', data: placing }] : [];
  },
});
