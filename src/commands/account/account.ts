import type { NotificationPreferences, Role } from '../../events/account.ts';
import type { AccountEvent } from '../../events/domain-event.ts';
import type { ErasureId, UserId } from '../../events/ids.ts';
import { accountStream } from '../../events/streams.ts';
import { ERASED } from '../../events/personal-text.ts';
import type { Aggregate, AggregateRef } from '../command.ts';

export interface RegisteredAccount {
  status: 'registered';
  /** The erasure that was asked for, until it is done or taken back. */
  erasure: { erasureId: ErasureId; dueAt: string } | null;
  role: Role;
  displayName: string;
  preferences: NotificationPreferences;
}
/** Nothing of the person is left. */
export interface ErasedAccount {
  status: 'erased';
  erasureId: ErasureId;
  role: Role;
  displayName: string;
  preferences: NotificationPreferences;
}
export type Account = { status: 'none' } | RegisteredAccount | ErasedAccount;

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
          erasure: null,
          role: event.data.role,
          displayName: event.data.displayName,
          preferences: standardPreferences,
        };
      case 'ProfileChanged':
        return state.status === 'registered' ? { ...state, displayName: event.data.displayName } : state;
      case 'NotificationPreferencesSet':
        return state.status === 'registered' ? { ...state, preferences: event.data.preferences } : state;
      case 'ErasureRequested': {
        const { erasureId, dueAt } = event.data;
        return state.status === 'registered' ? { ...state, erasure: { erasureId, dueAt } } : state;
      }
      case 'ErasureWithdrawn':
        return state.status === 'registered' ? { ...state, erasure: null } : state;
      case 'AccountErased':
        return state.status === 'none' ? state : erased(state.role, event.data.erasureId);
    }
  },
};

function erased(role: Role, erasureId: ErasureId): ErasedAccount {
  const preferences = { ...standardPreferences, email: false, push: false };
  return { status: 'erased', erasureId, role, displayName: ERASED, preferences };
}

export const accountOf = (userId: UserId): AggregateRef<Account> => ({
  stream: accountStream(userId),
  aggregate: account,
});
