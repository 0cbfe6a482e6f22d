import type { EventOf } from '../events/domain-event.ts';
import type { Recorded } from '../events/event-store.ts';
import { termsOf } from '../search/terms.ts';
import { type Column, column, statementAbout } from './columns.ts';
import type { Statement } from './projection.ts';

export type MessageChange = Recorded<
  EventOf<'MessageEdited' | 'MessageDeleted' | 'ReactionAdded' | 'ReactionRemoved'>
>;

interface Reaction {
  messageId: string;
  groupId: string;
  emoji: string;
  userId: string;
  /** The seq of the last removal in the batch. */
  removedSeq: number | null;
  /** The seq of the first addition after it. */
  addedSeq: number | null;
}
/** The changes of a batch to one message, combined. */
interface Changed {
  messageId: string;
  groupId: string;
  /** The seq of the last event that touched the message. */
  seq: number;
  text: string | null;
  editedAt: string | null;
  deletedAt: string | null;
  reactions: Map<string, Reaction>;
}

/**
 * Combines the changes of each message. A deleted message does not change any more, and neither do the
 * reactions that it lost.
 */
function collapse(events: MessageChange[]): Changed[] {
  const messages = new Map<string, Changed>();
  for (const event of events) {
    const { messageId, groupId } = event.data;
    const changed = messages.get(messageId) ?? {
      messageId,
      groupId,
      seq: 0,
      text: null,
      editedAt: null,
      deletedAt: null,
      reactions: new Map<string, Reaction>(),
    };
    if (changed.deletedAt !== null) continue;
    const seq = event.revision + 1;
    changed.seq = seq;
    messages.set(messageId, changed);
    if (event.type === 'MessageEdited') {
      changed.text = event.data.text;
      changed.editedAt = event.occurredAt;
    } else if (event.type === 'MessageDeleted') {
      changed.deletedAt = event.occurredAt;
      changed.reactions.clear();
    } else {
      const { emoji, userId } = event.data;
      const key = `${emoji}/${userId}`;
      const { removedSeq = null, addedSeq = null } = changed.reactions.get(key) ?? {};
      const now =
        event.type === 'ReactionAdded'
          ? { removedSeq, addedSeq: addedSeq ?? seq }
          : { removedSeq: seq, addedSeq: null };
      changed.reactions.set(key, { messageId, groupId, emoji, userId, ...now });
    }
  }
  return [...messages.values()];
}

/** An SQL condition: true if `b`, of the batch, is new to the message `m`. */
const IS_NEWS = `m.message_id = b.message_id and m.group_id = b.group_id
  and m.changed_seq < b.seq and m.deleted_at is null`;

const reactionColumns: Record<string, Column<Reaction>> = {
  message_id: column.uuid(({ messageId }) => messageId),
  group_id: column.uuid(({ groupId }) => groupId),
  emoji: column.text(({ emoji }) => emoji),
  user_id: column.uuid(({ userId }) => userId),
};

const unreact = statementAbout<Reaction>({
  name: 'unreact',
  columns: { ...reactionColumns, seq: column.bigint(({ removedSeq }) => removedSeq) },
  text: ({ batch }) => `
    delete from reactions r
    using ${batch}, messages m
    where ${IS_NEWS} and r.message_id = b.message_id and r.emoji = b.emoji and r.user_id = b.user_id`,
});

const react = statementAbout<Reaction>({
  name: 'react',
  columns: { ...reactionColumns, seq: column.bigint(({ addedSeq }) => addedSeq) },
  text: ({ batch }) => `
    insert into reactions (message_id, emoji, user_id, seq)
    select b.message_id, b.emoji, b.user_id, b.seq
    from ${batch}
    join messages m on ${IS_NEWS}
    on conflict do nothing`,
});

const change = statementAbout<Changed>({
  name: 'change',
  columns: {
    message_id: column.uuid(({ messageId }) => messageId),
    group_id: column.uuid(({ groupId }) => groupId),
    seq: column.bigint(({ seq }) => seq),
    text: column.text(({ text }) => text),
    edited_at: column.timestamptz(({ editedAt }) => editedAt),
    deleted_at: column.timestamptz(({ deletedAt }) => deletedAt),
    terms: column.tsvector(({ text }) => termsOf(text)),
  },
  text: ({ batch }) => `
    update messages m
    set text = case when b.deleted_at is not null then null when b.edited_at is null then m.text else b.text end,
      terms = case when b.deleted_at is not null then null when b.edited_at is null then m.terms else b.terms end,
      file_ids = case when b.deleted_at is null then m.file_ids else '{}' end,
      edited_at = coalesce(b.edited_at, m.edited_at), deleted_at = b.deleted_at, changed_seq = b.seq
    from ${batch}
    where ${IS_NEWS}`,
});

const dropReactions = statementAbout<Changed>({
  name: 'drop-reactions',
  columns: { message_id: column.uuid(({ messageId }) => messageId) },
  text: () => `
    delete from reactions r using messages m
    where m.message_id = any ($1::uuid[]) and m.deleted_at is not null and r.message_id = m.message_id`,
});

/**
 * Returns the statements that edit and delete existing messages and change their reactions. `change` is the
 * last to touch `changed_seq`.
 */
export function changeMessages(events: MessageChange[]): Statement[] {
  const messages = collapse(events);
  const reactions = messages.flatMap((message) => [...message.reactions.values()]);
  const removed = reactions.filter(({ removedSeq }) => removedSeq !== null);
  const added = reactions.filter(({ addedSeq }) => addedSeq !== null);
  const deleted = messages.filter(({ deletedAt }) => deletedAt !== null);
  return [...unreact(removed), ...react(added), ...change(messages), ...dropReactions(deleted)];
}
