import type { NotificationPreferences, Role } from '../../events/account.ts';
import type { AccountEvent } from '../../events/domain-event.ts';
import type { UserId } from '../../events/ids.ts';
import { accountStream } from '../../events/streams.ts';
import type { Aggregate, AggregateRef } from '../command.ts';

export interface RegisteredAccount {
  status: 'registered';
  role: Role;
  displayName: string;
  preferences: NotificationPreferences;
}
export type Account = { status: 'none' } | RegisteredAccount;

/** The preferences of an account that has set none. */
export const standardPreferences: NotificationPreferences = {
  email: true,
  push: true,
  muted: [],
  quietHours: null,
  digestMinutes: 10,
};

const account: Aggregate<Account, AccountEvent> = {
  initial: { status: 'none' },
  evolve: (state, event): Account => {
    switch (event.type) {
      case 'AccountRegistered':
        return {
          status: 'registered',
          role: event.data.role,
          displayName: event.data.displayName,
          preferences: standardPreferences,
        };
      case 'ProfileChanged':
        return state.status === 'none' ? state : { ...state, displayName: event.data.displayName };
      case 'NotificationPreferencesSet':
        return state.status === 'none' ? state : { ...state, preferences: event.data.preferences };
    }
  },
};

export const accountOf = (userId: UserId): AggregateRef<Account> => ({
  stream: accountStream(userId),
  aggregate: account,
});
