import type { GrantScope } from '../../events/audit.ts';
import type { GrantEvent } from '../../events/domain-event.ts';
import type { GrantId, UserId } from '../../events/ids.ts';
import { grantStream } from '../../events/streams.ts';
import type { Aggregate, AggregateRef } from '../command.ts';

export interface ExistingGrant {
  status: 'granted' | 'ended';
  auditorId: UserId;
  scope: GrantScope;
  expiresAt: string;
}
export type Grant = { status: 'none' } | ExistingGrant;

const grant: Aggregate<Grant, GrantEvent> = {
  initial: { status: 'none' },
  evolve: (state, event): Grant => {
    switch (event.type) {
      case 'AccessGranted': {
        const { auditorId, scope, expiresAt } = event.data;
        return { status: 'granted', auditorId, scope, expiresAt };
      }
      case 'AccessEnded':
        return state.status === 'none' ? state : { ...state, status: 'ended' };
    }
  },
};

export const grantOf = (grantId: GrantId): AggregateRef<Grant> => ({
  stream: grantStream(grantId),
  aggregate: grant,
});

/** Returns true if the grant still opens what it was given for. */
export const isOpen = (state: Grant, now: Date): state is ExistingGrant =>
  state.status === 'granted' && now < new Date(state.expiresAt);
