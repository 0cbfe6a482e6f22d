import type { EventOf } from '../events/domain-event.ts';
import type { Recorded } from '../events/event-store.ts';
import { termsOf } from '../search/terms.ts';
import { plain, quoted } from './columns.ts';
import type { Statement } from './projection.ts';

export type MessageChange = Recorded<
  EventOf<'MessageEdited' | 'MessageDeleted' | 'ReactionAdded' | 'ReactionRemoved'>
>;

interface Reaction {
  messageId: string;
  groupId: string;
  emoji: string;
  userId: string;
  /** The last removal in the batch. */
  removedSeq: number | null;
  /** The first addition after it. */
  addedSeq: number | null;
}
/** What a batch does to one message, all in one. */
interface Changed {
  messageId: string;
  groupId: string;
  /** Of the last event that touched it. */
  seq: number;
  text: string | null;
  editedAt: string | null;
  deletedAt: string | null;
  reactions: Map<string, Reaction>;
}

/** After its deletion nothing changes a message any more, nor the reactions it has lost with it. */
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

/** Whether `b`, of the batch, is news for the message `m`. */
const IS_NEWS = `m.message_id = b.message_id and m.group_id = b.group_id
  and m.changed_seq < b.seq and m.deleted_at is null`;

const reactionColumns = (reactions: Reaction[], seq: (reaction: Reaction) => number | null) => [
  plain(reactions.map(({ messageId }) => messageId)),
  plain(reactions.map(({ groupId }) => groupId)),
  quoted(reactions.map(({ emoji }) => emoji)),
  plain(reactions.map(({ userId }) => userId)),
  plain(reactions.map(seq)),
];

const unreact = (reactions: Reaction[]): Statement => ({
  name: 'unreact',
  text: `
    delete from reactions r
    using unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::bigint[])
      b (message_id, group_id, emoji, user_id, seq), messages m
    where ${IS_NEWS} and r.message_id = b.message_id and r.emoji = b.emoji and r.user_id = b.user_id`,
  values: reactionColumns(reactions, ({ removedSeq }) => removedSeq),
});

const react = (reactions: Reaction[]): Statement => ({
  name: 'react',
  text: `
    insert into reactions (message_id, emoji, user_id, seq)
    select b.message_id, b.emoji, b.user_id, b.seq
    from unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::bigint[])
      b (message_id, group_id, emoji, user_id, seq)
    join messages m on ${IS_NEWS}
    on conflict do nothing`,
  values: reactionColumns(reactions, ({ addedSeq }) => addedSeq),
});

const change = (messages: Changed[]): Statement => ({
  name: 'change',
  text: `
    update messages m
    set text = case when b.deleted_at is not null then null when b.edited_at is null then m.text else b.text end,
      terms = case when b.deleted_at is not null then null when b.edited_at is null then m.terms else b.terms end,
      file_ids = case when b.deleted_at is null then m.file_ids else '{}' end,
      edited_at = coalesce(b.edited_at, m.edited_at), deleted_at = b.deleted_at, changed_seq = b.seq
    from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::timestamptz[], $6::timestamptz[],
      $7::tsvector[]) b (message_id, group_id, seq, text, edited_at, deleted_at, terms)
    where ${IS_NEWS}`,
  values: [
    plain(messages.map(({ messageId }) => messageId)),
    plain(messages.map(({ groupId }) => groupId)),
    plain(messages.map(({ seq }) => seq)),
    quoted(messages.map(({ text }) => text)),
    plain(messages.map(({ editedAt }) => editedAt)),
    plain(messages.map(({ deletedAt }) => deletedAt)),
    plain(messages.map(({ text }) => termsOf(text))),
  ],
});

const dropReactions = (messages: Changed[]): Statement => ({
  name: 'drop-reactions',
  text: `
    delete from reactions r using messages m
    where m.message_id = any ($1::uuid[]) and m.deleted_at is not null and r.message_id = m.message_id`,
  values: [plain(messages.map(({ messageId }) => messageId))],
});

/** The statements that edit, delete and mark messages that stand already. `change` is last to touch `changed_seq`. */
export function changeMessages(events: MessageChange[]): Statement[] {
  const messages = collapse(events);
  const reactions = messages.flatMap((message) => [...message.reactions.values()]);
  const removed = reactions.filter(({ removedSeq }) => removedSeq !== null);
  const added = reactions.filter(({ addedSeq }) => addedSeq !== null);
  const deleted = messages.filter(({ deletedAt }) => deletedAt !== null);
  return [
    ...(removed.length > 0 ? [unreact(removed)] : []),
    ...(added.length > 0 ? [react(added)] : []),
    ...(messages.length > 0 ? [change(messages)] : []),
    ...(deleted.length > 0 ? [dropReactions(deleted)] : []),
  ];
}
