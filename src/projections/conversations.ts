import type { EventOf } from '../events/domain-event.ts';
import type { Recorded } from '../events/event-store.ts';
import { lists, plain, quoted } from './columns.ts';
import { type MessageChange, changeMessages } from './message-changes.ts';
import type { Projection, Statement } from './projection.ts';

type Sent = Recorded<EventOf<'MessageSent'>>;

/**
 * The hot statement: nearly every event of the log goes through it, and nearly every batch needs no other. Counts go
 * on from where the group and the sender stood before the batch; events up to the group's head were handled before.
 */
const send = (events: Sent[]): Statement => ({
  name: 'send',
  text: `
    with sent as (
      select b.*, coalesce(c.message_count, 0) + row_number() over (partition by b.group_id order by b.seq) as ordinal
      from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::uuid[], $5::text[], $6::text[], $7::uuid[],
        $8::timestamptz[], $9::bigint[])
        b (message_id, group_id, seq, sender_id, text, file_ids, reply_to, sent_at, position)
      left join conversations c on c.group_id = b.group_id
      where b.seq > coalesce(c.head_seq, 0)
    ), stored as (
      insert into messages
        (message_id, group_id, seq, sender_id, text, file_ids, reply_to, sent_at, position, changed_seq, ordinal)
      select message_id, group_id, seq, sender_id, text, file_ids::uuid[], reply_to, sent_at, position, seq, ordinal
      from sent
    ), counted as (
      insert into senders as s (group_id, user_id, sent)
      select group_id, sender_id, count(*) from sent group by group_id, sender_id
      on conflict (group_id, user_id) do update set sent = s.sent + excluded.sent
    )
    insert into conversations (group_id, head_seq, message_count, last_message_id, last_position)
    select distinct on (group_id) group_id, seq, ordinal, message_id, position from sent
    order by group_id, seq desc
    on conflict (group_id) do update
    set head_seq = excluded.head_seq, message_count = excluded.message_count,
      last_message_id = excluded.last_message_id, last_position = excluded.last_position`,
  values: [
    plain(events.map(({ data }) => data.messageId)),
    plain(events.map(({ data }) => data.groupId)),
    plain(events.map(({ revision }) => revision + 1)),
    plain(events.map(({ data }) => data.senderId)),
    quoted(events.map(({ data }) => data.text)),
    lists(events.map(({ data }) => data.fileIds)),
    plain(events.map(({ data }) => data.replyTo)),
    plain(events.map(({ occurredAt }) => occurredAt)),
    plain(events.map(({ position }) => position)),
  ],
});

const raiseHeads = (heads: [groupId: string, seq: number][]): Statement => ({
  name: 'raise-heads',
  text: `
    insert into conversations (group_id, head_seq, message_count)
    select b.*, 0 from unnest($1::uuid[], $2::bigint[]) b (group_id, seq)
    on conflict (group_id) do update set head_seq = excluded.head_seq
    where conversations.head_seq < excluded.head_seq`,
  values: [plain(heads.map(([groupId]) => groupId)), plain(heads.map(([, seq]) => seq))],
});

/** What was said, and how it stands now. */
export const conversations: Projection<'MessageSent' | MessageChange['type']> = {
  name: 'conversations',
  version: 1,
  // Room on the pages lets PostgreSQL update rows in place (HOT): two rows of counts change with every message.
  tables: `
    create table conversations (
      group_id uuid primary key,
      head_seq bigint not null,
      message_count bigint not null,
      last_message_id uuid,
      last_position bigint
    ) with (fillfactor = 50);
    create table messages (
      message_id uuid primary key,
      group_id uuid not null,
      seq bigint not null,
      sender_id uuid not null,
      text text,
      file_ids uuid[] not null,
      reply_to uuid,
      sent_at timestamptz not null,
      edited_at timestamptz,
      deleted_at timestamptz,
      -- Of the last event that touched the message: older ones change nothing any more.
      changed_seq bigint not null,
      -- The how manieth message of its group this is.
      ordinal bigint not null,
      position bigint not null
    );
    create table senders (
      group_id uuid,
      user_id uuid,
      sent bigint not null,
      primary key (group_id, user_id)
    ) with (fillfactor = 50);
    create table reactions (
      message_id uuid,
      emoji text collate "C",
      user_id uuid,
      seq bigint not null,
      primary key (message_id, emoji, user_id)
    )`,
  indexes: `
    create unique index messages_in_order on messages (group_id, seq);
    create index messages_by_text on messages using gin (public.message_terms(group_id, text))
      where text is not null`,
  handles: ['MessageSent', 'MessageEdited', 'MessageDeleted', 'ReactionAdded', 'ReactionRemoved'],
  project: (events) => {
    const sent: Sent[] = [];
    const changes: MessageChange[] = [];
    const heads = new Map<string, number>();
    for (const event of events) {
      const { groupId } = event.data;
      if (event.type === 'MessageSent') {
        sent.push(event);
        heads.delete(groupId);
      } else {
        changes.push(event);
        heads.set(groupId, event.revision + 1);
      }
    }
    return [
      ...(sent.length > 0 ? [send(sent)] : []),
      ...changeMessages(changes),
      ...(heads.size > 0 ? [raiseHeads([...heads])] : []),
    ];
  },
};
