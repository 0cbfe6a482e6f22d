import { z } from 'zod';
import { NotificationPreferences } from '../../events/account.ts';
import type { AccountEvent } from '../../events/domain-event.ts';
import { UserId } from '../../events/ids.ts';
import { accountStream } from '../../events/streams.ts';
import { defineCommand } from '../command.ts';
import { ensure } from '../rejection.ts';
import { type Account, accountOf } from './account.ts';

const { email, push, muted, quietHours, digestMinutes, team } = NotificationPreferences.shape;

const input = z.strictObject({
  userId: UserId,
  /** Omitted preferences stay as they are. */
  preferences: z.strictObject({
    email: email.exactOptional(),
    push: push.exactOptional(),
    muted: muted.exactOptional(),
    quietHours: quietHours.exactOptional(),
    digestMinutes: digestMinutes.exactOptional(),
    /** Null: as the role in the company has it. */
    team: team.unwrap().nullable().exactOptional(),
  }),
});

export type SetNotificationPreferences = z.infer<typeof input>;

/** Compares preferences. The order of muted groups does not matter. */
const isSame = (a: NotificationPreferences, b: NotificationPreferences): boolean =>
  a.email === b.email &&
  a.push === b.push &&
  a.digestMinutes === b.digestMinutes &&
  a.team === b.team &&
  a.quietHours?.start === b.quietHours?.start &&
  a.quietHours?.end === b.quietHours?.end &&
  a.quietHours?.timeZone === b.quietHours?.timeZone &&
  new Set(a.muted).symmetricDifference(new Set(b.muted)).size === 0;

/** Sets a user's preferences. Users may set only their own. */
export const setNotificationPreferences = defineCommand<
  SetNotificationPreferences,
  { account: Account },
  AccountEvent
>({
  name: 'SetNotificationPreferences',
  input,
  refuses: ['USER_NOT_FOUND'],
  writes: ({ userId }) => accountStream(userId),
  reads: ({ userId }) => ({ account: accountOf(userId) }),
  decide: ({ userId, preferences: change }, { account }, { actor }) => {
    ensure(account.status === 'registered', 'USER_NOT_FOUND');
    ensure(actor === 'system' || actor.userId === userId, 'USER_NOT_FOUND');
    const { team: chosen = null, ...wanted } = { ...account.preferences, ...change };
    const preferences = {
      ...{ ...wanted, muted: [...new Set(wanted.muted)] },
      ...(chosen !== null && { team: chosen }),
    };
    if (isSame(preferences, account.preferences)) return [];
    return [{ type: 'NotificationPreferencesSet', data: { userId, preferences } }];
  },
});
