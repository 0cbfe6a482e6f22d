import type { Role } from '../../events/account.ts';
import type { AccountEvent } from '../../events/domain-event.ts';
import type { UserId } from '../../events/ids.ts';
import { accountStream } from '../../events/streams.ts';
import type { Aggregate, AggregateRef } from '../command.ts';

export type Account = { status: 'none' } | { status: 'registered'; role: Role; displayName: string };

const account: Aggregate<Account, AccountEvent> = {
  initial: { status: 'none' },
  evolve: (state, event): Account => {
    switch (event.type) {
      case 'AccountRegistered':
        return { status: 'registered', role: event.data.role, displayName: event.data.displayName };
      case 'ProfileChanged':
        return state.status === 'none' ? state : { ...state, displayName: event.data.displayName };
    }
  },
};

export const accountOf = (userId: UserId): AggregateRef<Account> => ({
  stream: accountStream(userId),
  aggregate: account,
});
