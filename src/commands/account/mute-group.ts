import { z } from 'zod';
import { MAX_MUTED } from '../../events/account.ts';
import type { AccountEvent } from '../../events/domain-event.ts';
import { GroupId, UserId } from '../../events/ids.ts';
import { accountStream } from '../../events/streams.ts';
import { membershipIn } from '../chat-group/chat-group.ts';
import { type Room, companyOfRoom, requireInRoom } from '../chat-group/room.ts';
import { type Command, defineCommand } from '../command.ts';
import { type RejectionCode, ensure } from '../rejection.ts';
import { type Account, accountOf } from './account.ts';

const input = z.strictObject({ userId: UserId, groupId: GroupId });
type Known = Room & { account: Account };

/** Defines a command that changes whether a group is among those that the user muted. Users change only their own. */
const muting = (
  name: string,
  isMuted: boolean,
  refuses: readonly RejectionCode[] = [],
): Command<z.infer<typeof input>, Known, AccountEvent> =>
  defineCommand<z.infer<typeof input>, Known, AccountEvent>({
    name,
    input,
    refuses: ['USER_NOT_FOUND', 'GROUP_NOT_FOUND', ...refuses],
    writes: ({ userId }) => accountStream(userId),
    reads: ({ userId, groupId }, actor) => ({
      account: accountOf(userId),
      group: membershipIn(groupId, actor),
    }),
    readsThen: companyOfRoom,
    decide: ({ userId, groupId }, { account, ...room }, { actor }) => {
      ensure(account.status === 'registered', 'USER_NOT_FOUND');
      ensure(actor === 'system' || actor.userId === userId, 'USER_NOT_FOUND');
      requireInRoom(room, actor, 'read');
      const others = account.preferences.muted.filter((each) => each !== groupId);
      const muted = isMuted ? [...others, groupId] : others;
      if (muted.length === account.preferences.muted.length) return [];
      ensure(!isMuted || muted.length <= MAX_MUTED, 'TOO_MANY_MUTED');
      const preferences = { ...account.preferences, muted };
      return [{ type: 'NotificationPreferencesSet', data: { userId, preferences } }];
    },
  });

export const muteGroup = muting('MuteGroup', true, ['TOO_MANY_MUTED']);
export const unmuteGroup = muting('UnmuteGroup', false);
