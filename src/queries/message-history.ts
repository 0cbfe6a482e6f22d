import { type DatabasePool, type FragmentSqlToken, sql } from 'slonik';
import { z } from 'zod';
import { CommandRejected } from '../commands/rejection.ts';
import type { GroupId, MessageId, UserId } from '../events/ids.ts';
import { reach } from './members.ts';
import { Message, circumstances, messageFor } from './message.ts';

export interface MessageHistory {
  userId: UserId;
  groupId: GroupId;
  /** At most one of the three is set. Without any, the newest messages are returned. */
  beforeSeq?: number | undefined;
  afterSeq?: number | undefined;
  aroundSeq?: number | undefined;
  limit: number;
}
export interface HistoryPage {
  /** Ascending by seq. */
  data: Message[];
  /** True if there are more messages in the direction of the page; around a seq, on either side. */
  hasMore: boolean;
  headSeq: number;
}

const HistoryRow = z.object({ headSeq: z.number(), older: z.array(Message), newer: z.array(Message) });
const hiddenSeq = sql.fragment`reach."hiddenSeq"`;

/**
 * Resolves with a page of a conversation, for members; the cost does not depend on the size of the
 * conversation. Throws GROUP_NOT_FOUND.
 */
export async function messageHistory(db: DatabasePool, asked: MessageHistory): Promise<HistoryPage> {
  const { userId, groupId, beforeSeq, afterSeq, aroundSeq, limit } = asked;
  const next = (window: FragmentSqlToken, order: FragmentSqlToken) => sql.fragment`coalesce((
    select json_agg(shown) from (
      select ${messageFor(userId, hiddenSeq)} from conversations.messages m ${circumstances}
      where m.group_id = ${groupId} and m.seq > ${hiddenSeq} and ${window} order by m.seq ${order} limit ${limit + 1}
    ) shown
  ), '[]')`;
  const older = (before: number) => next(sql.fragment`m.seq < ${before}`, sql.fragment`desc`);
  const newer = (after: number) => next(sql.fragment`m.seq > ${after}`, sql.fragment`asc`);
  const none = sql.fragment`'[]'::json`;
  const sides =
    aroundSeq !== undefined
      ? { older: older(aroundSeq), newer: newer(aroundSeq - 1) }
      : afterSeq !== undefined
        ? { older: none, newer: newer(afterSeq) }
        : { older: older(beforeSeq ?? Number.MAX_SAFE_INTEGER), newer: none };
  const found = await db.maybeOne(sql.type(HistoryRow)`
    select "headSeq", ${sides.older} as older, ${sides.newer} as newer from (${reach(asked)}) reach`);
  if (!found) throw new CommandRejected('GROUP_NOT_FOUND');
  const { headSeq, older: before, newer: from } = found;
  const olderShown =
    aroundSeq === undefined
      ? Math.min(before.length, limit)
      : Math.min(before.length, Math.max(Math.floor(limit / 2), limit - from.length));
  const data = [...before.slice(0, olderShown).toReversed(), ...from.slice(0, limit - olderShown)];
  return { data, hasMore: before.length + from.length > data.length, headSeq };
}

/**
 * Resolves with one message of a group, for members who see it. Throws MESSAGE_NOT_FOUND for all others.
 */
export async function getMessage(
  db: DatabasePool,
  { messageId, ...asked }: { userId: UserId; groupId: GroupId; messageId: MessageId },
): Promise<Message> {
  const found = await db.maybeOne(sql.type(Message)`
    select ${messageFor(asked.userId, hiddenSeq)}
    from (${reach(asked)}) reach
    join conversations.messages m
      on m.message_id = ${messageId} and m.group_id = ${asked.groupId} and m.seq > ${hiddenSeq}
    ${circumstances}`);
  if (!found) throw new CommandRejected('MESSAGE_NOT_FOUND');
  return found;
}
