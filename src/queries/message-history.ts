import { type DatabasePool, sql } from 'slonik';
import type { GroupId, UserId } from '../events/ids.ts';
import { reachOfMember } from './members.ts';
import { Message, erasure, message } from './message.ts';

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

/**
 * Resolves with a page of a conversation, for members; the cost does not depend on the size of the
 * conversation. Throws GROUP_NOT_FOUND.
 */
export async function messageHistory(db: DatabasePool, asked: MessageHistory): Promise<HistoryPage> {
  const { groupId, beforeSeq, afterSeq, aroundSeq, limit } = asked;
  const { headSeq, hiddenSeq } = await reachOfMember(db, asked);
  const older = (before: number) =>
    db.any(sql.type(Message)`
      select ${message} from conversations.messages m ${erasure}
      where m.group_id = ${groupId} and m.seq < ${before} and m.seq > ${hiddenSeq} order by m.seq desc limit ${limit + 1}`);
  const newer = (after: number) =>
    db.any(sql.type(Message)`
      select ${message} from conversations.messages m ${erasure}
      where m.group_id = ${groupId} and m.seq > ${Math.max(after, hiddenSeq)} order by m.seq limit ${limit + 1}`);

  if (aroundSeq !== undefined) {
    const [before, from] = await Promise.all([older(aroundSeq), newer(aroundSeq - 1)]);
    const olderShown = Math.min(before.length, Math.max(Math.floor(limit / 2), limit - from.length));
    const data = [...before.slice(0, olderShown).reverse(), ...from.slice(0, limit - olderShown)];
    return { data, hasMore: before.length + from.length > data.length, headSeq };
  }
  if (afterSeq !== undefined) {
    const found = await newer(afterSeq);
    return { data: found.slice(0, limit), hasMore: found.length > limit, headSeq };
  }
  // A message may have arrived since the head was read: the page must not go beyond `headSeq`.
  const found = await older(Math.min(beforeSeq ?? Infinity, headSeq + 1));
  return { data: found.slice(0, limit).reverse(), hasMore: found.length > limit, headSeq };
}
