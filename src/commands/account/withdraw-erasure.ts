import { z } from 'zod';
import type { AccountEvent } from '../../events/domain-event.ts';
import { ErasureId, UserId } from '../../events/ids.ts';
import { accountStream } from '../../events/streams.ts';
import { defineCommand } from '../command.ts';
import { ensure } from '../rejection.ts';
import { type Account, accountOf } from './account.ts';
import { mayErase } from './request-erasure.ts';

const input = z.strictObject({ userId: UserId, erasureId: ErasureId });

/** Takes an erasure back, as long as it is not done. */
export const withdrawErasure = defineCommand<z.infer<typeof input>, { account: Account }, AccountEvent>({
  name: 'WithdrawErasure',
  input,
  refuses: ['ERASURE_NOT_FOUND', 'ERASURE_DONE'],
  writes: ({ userId }) => accountStream(userId),
  reads: ({ userId }) => ({ account: accountOf(userId) }),
  decide: ({ userId, erasureId }, { account }, { actor }) => {
    ensure(mayErase(actor, userId), 'ERASURE_NOT_FOUND');
    ensure(account.status !== 'erased' || account.erasureId !== erasureId, 'ERASURE_DONE');
    ensure(account.status === 'registered' && account.erasure?.erasureId === erasureId, 'ERASURE_NOT_FOUND');
    return [{ type: 'ErasureWithdrawn', data: { userId, erasureId } }];
  },
});
