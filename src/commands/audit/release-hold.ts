import { z } from 'zod';
import type { HoldEvent } from '../../events/domain-event.ts';
import { HoldId } from '../../events/ids.ts';
import { holdStream } from '../../events/streams.ts';
import { defineCommand } from '../command.ts';
import { ensure } from '../rejection.ts';
import { type Hold, holdOf } from './hold.ts';

const input = z.strictObject({ holdId: HoldId });

/** Lets the erasure and retention of a group go on. */
export const releaseHold = defineCommand<z.infer<typeof input>, { hold: Hold }, HoldEvent>({
  name: 'ReleaseHold',
  input,
  refuses: ['ROLE_NOT_ALLOWED', 'HOLD_NOT_FOUND'],
  writes: ({ holdId }) => holdStream(holdId),
  reads: ({ holdId }) => ({ hold: holdOf(holdId) }),
  decide: ({ holdId }, { hold }, { actor }) => {
    ensure(actor !== 'system' && actor.role === 'auditor', 'ROLE_NOT_ALLOWED');
    ensure(hold.status !== 'none', 'HOLD_NOT_FOUND');
    if (hold.status === 'released') return [];
    return [{ type: 'HoldReleased', data: { holdId, groupId: hold.groupId } }];
  },
});
