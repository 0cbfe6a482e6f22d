import { z } from 'zod';
import { DisplayName, Role } from '../../events/account.ts';
import type { AccountEvent } from '../../events/domain-event.ts';
import { UserId } from '../../events/ids.ts';
import { accountStream } from '../../events/streams.ts';
import { defineCommand } from '../command.ts';
import { type Account, accountOf } from './account.ts';

const input = z.strictObject({ userId: UserId, role: Role, displayName: DisplayName });

/** Registers an account. The user's id is chosen with its credentials, which are kept outside the log. */
export const registerAccount = defineCommand<z.infer<typeof input>, { account: Account }, AccountEvent>({
  name: 'RegisterAccount',
  input,
  refuses: [],
  opens: true,
  writes: ({ userId }) => accountStream(userId),
  reads: ({ userId }) => ({ account: accountOf(userId) }),
  decide: (registration, { account }) =>
    account.status === 'none' ? [{ type: 'AccountRegistered', data: registration }] : [],
});
