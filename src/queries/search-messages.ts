import { type DatabasePool, sql } from 'slonik';
import { z } from 'zod';
import type { GroupId, UserId } from '../events/ids.ts';
import { type Page, type Paging, byPosition } from './cursor.ts';
import { headSeqForMember } from './members.ts';
import { Message, message } from './message.ts';

const FoundRow = Message.extend({ position: z.number() });

export interface SearchMessages extends Paging {
  userId: UserId;
  /** As for a search engine: words, "phrases", or, -not. */
  q: string;
  groupId?: GroupId | undefined;
}

/**
 * Messages of the caller's groups, or of one of them, newest first. The groups are part of what is looked up in the
 * index, so what others wrote elsewhere costs nothing. Throws GROUP_NOT_FOUND.
 */
export async function searchMessages(
  db: DatabasePool,
  { userId, q, groupId, cursor, limit }: SearchMessages,
): Promise<Page<Message>> {
  const before = byPosition.read(cursor)?.position;
  if (groupId !== undefined) await headSeqForMember(db, { userId, groupId });
  const rows = await db.any(sql.type(FoundRow)`
    select ${message}, m.position
    from conversations.messages m
    where m.text is not null
      and public.message_terms(m.group_id, m.text) @@ (
        select string_agg(quote_literal(mine.group_id), ' | ')::tsquery
          && (select asked from websearch_to_tsquery('simple', ${q}) asked where numnode(asked) > 0)
        from chat_groups.members mine
        where mine.user_id = ${userId} and mine.is_active
          and ${groupId === undefined ? sql.fragment`true` : sql.fragment`mine.group_id = ${groupId}`}
      )
      and ${before === undefined ? sql.fragment`true` : sql.fragment`m.position < ${before}`}
    order by m.position desc limit ${limit + 1}`);
  return byPosition.page(
    rows,
    limit,
    ({ position }) => ({ position }),
    ({ position: _, ...found }) => found,
  );
}
