import { z } from 'zod';
import { NewDisplayName } from '../../events/account.ts';
import type { AccountEvent } from '../../events/domain-event.ts';
import { UserId } from '../../events/ids.ts';
import { accountStream } from '../../events/streams.ts';
import { defineCommand } from '../command.ts';
import { ensure } from '../rejection.ts';
import { type Account, accountOf } from './account.ts';

const input = z.strictObject({ userId: UserId, displayName: NewDisplayName.optional() });

export const changeProfile = defineCommand<z.infer<typeof input>, { account: Account }, AccountEvent>({
  name: 'ChangeProfile',
  input,
  refuses: ['USER_NOT_FOUND'],
  writes: ({ userId }) => accountStream(userId),
  reads: ({ userId }) => ({ account: accountOf(userId) }),
  decide: ({ userId, displayName }, { account }) => {
    ensure(account.status === 'registered', 'USER_NOT_FOUND');
    if (displayName === undefined || displayName === account.displayName) return [];
    return [{ type: 'ProfileChanged', data: { userId, displayName } }];
  },
});
