import { z } from 'zod';
import type { AccountEvent } from '../../events/domain-event.ts';
import { ErasureId, UserId } from '../../events/ids.ts';
import { accountStream } from '../../events/streams.ts';
import { type ActorOrSystem, defineCommand } from '../command.ts';
import { ensure } from '../rejection.ts';
import { type Account, accountOf } from './account.ts';

const input = z.strictObject({
  userId: UserId,
  /** Time that is left to take it back. */
  delayHours: z.int().min(0),
});

/** The person itself, and auditors, ask for an erasure and take it back. */
export const mayErase = (actor: ActorOrSystem, userId: UserId): boolean =>
  actor !== 'system' && (actor.userId === userId || actor.role === 'auditor');

const HOUR_MS = 3_600_000;

/** Asks for the erasure of a person. Asked for again, only an earlier time changes anything. */
export const requestErasure = defineCommand<z.infer<typeof input>, { account: Account }, AccountEvent>({
  name: 'RequestErasure',
  input,
  refuses: ['USER_NOT_FOUND'],
  writes: ({ userId }) => accountStream(userId),
  reads: ({ userId }) => ({ account: accountOf(userId) }),
  decide: ({ userId, delayHours }, { account }, { actor, newId, now }) => {
    ensure(mayErase(actor, userId) && account.status !== 'none', 'USER_NOT_FOUND');
    if (account.status === 'erased') return [];
    const dueAt = new Date(now.getTime() + delayHours * HOUR_MS).toISOString();
    if (account.erasure && account.erasure.dueAt <= dueAt) return [];
    const erasureId = account.erasure?.erasureId ?? ErasureId.parse(newId());
    return [{ type: 'ErasureRequested', data: { userId, erasureId, dueAt } }];
  },
});
