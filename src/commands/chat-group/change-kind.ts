import { z } from 'zod';
import { GroupKind } from '../../events/chat-group.ts';
import type { ChatGroupEvent } from '../../events/domain-event.ts';
import { GroupId } from '../../events/ids.ts';
import { HistoryFrom } from '../../events/job.ts';
import { chatGroupStream } from '../../events/streams.ts';
import { defineCommand } from '../command.ts';
import { ensure } from '../rejection.ts';
import { type ChatGroup, chatGroupOf } from './chat-group.ts';

const input = z.strictObject({
  groupId: GroupId,
  kind: GroupKind.exclude(['thread']),
  historyFrom: HistoryFrom,
});

/** Follows a job whose conversations change before anybody has applied. */
export const changeKind = defineCommand<z.infer<typeof input>, { group: ChatGroup }, ChatGroupEvent>({
  name: 'ChangeKind',
  input,
  refuses: ['GROUP_NOT_FOUND', 'ROLE_NOT_ALLOWED'],
  writes: ({ groupId }) => chatGroupStream(groupId),
  reads: ({ groupId }) => ({ group: chatGroupOf(groupId) }),
  decide: (change, { group }, { actor }) => {
    ensure(actor === 'system', 'ROLE_NOT_ALLOWED');
    ensure(group.status !== 'none', 'GROUP_NOT_FOUND');
    return [{ type: 'GroupKindChanged', data: change }];
  },
});
