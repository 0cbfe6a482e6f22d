import type pg from 'pg';
import { type Lookups, type MessageFacts, actorId } from '../../../commands/command.ts';
import type { EventStore } from '../../../events/event-store.ts';
import type { Progress } from '../../../projections/projection.ts';
import { conversations } from '../../../projections/conversations.ts';
import { caughtUpWithLog } from '../../../projections/caught-up.ts';

const FACTS = `
  select m.group_id as "groupId", m.sender_id as "senderId", m.changed_seq as "changedSeq",
    m.deleted_at is not null as "isDeleted", m.text, m.file_ids <> '{}' as "hasFiles",
    coalesce((
      select json_object_agg(r.emoji, r.users)
      from (
        select emoji, json_agg(user_id order by seq) as users
        from conversations.reactions where message_id = m.message_id group by emoji
      ) r
    ), '{}') as reactions
  from conversations.messages m
  where m.message_id = $2 and m.group_id = $1 and not exists (
    select from conversations.participants p
    where p.group_id = m.group_id and p.user_id = $3 and m.seq <= p.hidden_seq
  )`;

/**
 * Creates the look-ups of commands. Their facts about messages are at least as new as the log was at the
 * call. Rejects with `NotCaughtUp`.
 */
export const createLookups = ({
  pool,
  ...log
}: {
  pool: pg.Pool;
  store: Pick<EventStore, 'head'>;
  progress: Pick<Progress, 'reached'>;
}): Lookups => ({
  async message(groupId, messageId, actor) {
    await caughtUpWithLog(log, conversations);
    const { rows } = await pool.query<MessageFacts>({
      name: 'message-facts',
      text: FACTS,
      values: [groupId, messageId, actorId(actor)],
    });
    return rows[0];
  },
});
