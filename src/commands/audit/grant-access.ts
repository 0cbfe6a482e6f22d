import { z } from 'zod';
import { GivenReason, GrantScope } from '../../events/audit.ts';
import type { GrantEvent } from '../../events/domain-event.ts';
import { GrantId } from '../../events/ids.ts';
import { grantStream } from '../../events/streams.ts';
import { type Account, accountOf } from '../account/account.ts';
import { type ChatGroup, chatGroupOf } from '../chat-group/chat-group.ts';
import { type AggregateRef, defineCommand } from '../command.ts';
import { ensure } from '../rejection.ts';
import { type Grant, grantOf } from './grant.ts';

/** Longest time that one grant lasts. */
const MAX_MINUTES = 60;
const MINUTE_MS = 60_000;

const input = z.strictObject({
  grantId: GrantId,
  reason: GivenReason,
  scope: GrantScope,
  minutes: z.int().min(1).max(MAX_MINUTES),
});

interface Reads {
  grant: Grant;
  subject: Account | ChatGroup;
}

const subjectOf = (scope: GrantScope) =>
  ('userId' in scope ? accountOf(scope.userId) : chatGroupOf(scope.groupId)) as AggregateRef<
    Account | ChatGroup
  >;

/** Opens the personal text of one user or one group to the auditor who asks, for a reason and for a while. */
export const grantAccess = defineCommand<z.infer<typeof input>, Reads, GrantEvent>({
  name: 'GrantAccess',
  input,
  refuses: ['ROLE_NOT_ALLOWED', 'USER_NOT_FOUND', 'GROUP_NOT_FOUND'],
  opens: true,
  writes: ({ grantId }) => grantStream(grantId),
  reads: ({ grantId, scope }) => ({ grant: grantOf(grantId), subject: subjectOf(scope) }),
  decide: ({ grantId, reason, scope, minutes }, { grant, subject }, { actor, now }) => {
    ensure(actor !== 'system' && actor.role === 'auditor', 'ROLE_NOT_ALLOWED');
    ensure(subject.status !== 'none', 'userId' in scope ? 'USER_NOT_FOUND' : 'GROUP_NOT_FOUND');
    if (grant.status !== 'none') return [];
    const expiresAt = new Date(now.getTime() + minutes * MINUTE_MS).toISOString();
    return [{ type: 'AccessGranted', data: { grantId, auditorId: actor.userId, reason, scope, expiresAt } }];
  },
});
