import { z } from 'zod';
import type { AccountEvent } from '../../events/domain-event.ts';
import { ErasureId, UserId } from '../../events/ids.ts';
import { accountStream } from '../../events/streams.ts';
import { defineCommand } from '../command.ts';
import { ensure } from '../rejection.ts';
import { type Account, accountOf } from './account.ts';

const input = z.strictObject({
  userId: UserId,
  erasureId: ErasureId,
  /** The list of erased people has this person: the log was restored from a backup. */
  isListed: z.boolean().optional(),
});

/** Erases a person once the time to take it back is over. Nothing happens to an erasure that was taken back. */
export const eraseAccount = defineCommand<z.infer<typeof input>, { account: Account }, AccountEvent>({
  name: 'EraseAccount',
  input,
  refuses: ['ROLE_NOT_ALLOWED'],
  writes: ({ userId }) => accountStream(userId),
  reads: ({ userId }) => ({ account: accountOf(userId) }),
  decide: ({ userId, erasureId, isListed = false }, { account }, { actor, now }) => {
    ensure(actor === 'system', 'ROLE_NOT_ALLOWED');
    if (account.status !== 'registered') return [];
    const { erasure } = account;
    const isDue = erasure?.erasureId === erasureId && Date.parse(erasure.dueAt) <= now.getTime();
    return isDue || isListed ? [{ type: 'AccountErased', data: { userId, erasureId } }] : [];
  },
});
