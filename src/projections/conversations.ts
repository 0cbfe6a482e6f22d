import { conversationEvents } from '../events/conversation.ts';
import type { ConversationEvent, EventOf } from '../events/domain-event.ts';
import { retentionEvents } from '../events/retention.ts';
import type { Recorded } from '../events/event-store.ts';
import { plain, texts } from '../kit/array-parameters.ts';
import { termsOf } from '../search/terms.ts';
import { ownerOf } from './chat-groups.ts';
import { column, lists, statementAbout } from './columns.ts';
import { type MessageChange, changeMessages } from './message-changes.ts';
import { type Movement, isMovement, moveParticipants, movementTypes } from './participants.ts';
import {
  type Assigned,
  type Decision,
  assignThreads,
  decide,
  decisionTypes,
  isDecision,
  openThreads,
} from './threads.ts';
import { type Statement, defineProjection, typesOf } from './projection.ts';

type Sent = Recorded<EventOf<'MessageSent'>>;
type Created = Recorded<EventOf<'ChatGroupCreated'>>;
type Expired = Recorded<EventOf<'MonthExpired'>>;
type KindChanged = Recorded<EventOf<'GroupKindChanged'>>;

/** The messages that a batch adds to one group. Their rows are numbered from here. */
interface GroupBatch {
  index: number;
  messages: number;
  firstSeq: number;
  last: Sent;
}

/** Returns the groups of a batch, and for each message the index of its group and its own index within the group. */
function byGroup(events: Sent[]): { groups: GroupBatch[]; groupOf: number[]; nth: number[] } {
  const groups = new Map<string, GroupBatch>();
  const groupOf: number[] = [];
  const nth: number[] = [];
  for (const event of events) {
    const { groupId } = event.data;
    let group = groups.get(groupId);
    if (!group) {
      group = { index: groups.size + 1, messages: 0, firstSeq: event.revision + 1, last: event };
      groups.set(groupId, group);
    }
    group.messages += 1;
    group.last = event;
    groupOf.push(group.index);
    nth.push(group.messages);
  }
  return { groups: [...groups.values()], groupOf, nth };
}

const own = statementAbout<Created>({
  name: 'own',
  columns: {
    group_id: column.uuid(({ data }) => data.groupId),
    owner_id: column.uuid(({ data }) => ownerOf(data)),
    history_from: column.word(({ data }) => data.historyFrom ?? 'start'),
    is_thread: column.boolean(({ data }) => data.kind === 'thread'),
  },
  text: ({ names, batch }) => `
    insert into conversations (${names}, head_seq, message_count)
    select b.*, 0, 0 from ${batch}
    on conflict do nothing`,
});

/** Nobody but the company is in the group yet. */
const changeHistory = statementAbout<KindChanged>({
  name: 'change-history',
  columns: {
    group_id: column.uuid(({ data }) => data.groupId),
    history_from: column.word(({ data }) => data.historyFrom),
  },
  text: ({ batch }) => `
    update conversations c set history_from = b.history_from
    from ${batch}
    where c.group_id = b.group_id`,
});

/**
 * The hot statement: nearly every event of the log goes through it, and nearly every batch needs no other.
 * Its input is two batches, one of messages and one of their groups. Ordinals continue from the group's count
 * before the batch; events up to its head were handled before.
 */
function send(events: Sent[]): Statement {
  const { groups, groupOf, nth } = byGroup(events);
  return {
    name: 'send',
    text: `
      with groups as materialized (
        select b.*, c.owner_id, c.is_thread, coalesce(c.head_seq, 0) as head_seq,
          coalesce(c.message_count, 0) - case when b.first_seq <= c.head_seq then (
            select count(*) from unnest($10::int[], $3::bigint[]) known (group_index, seq)
            where known.group_index = b.index and known.seq <= c.head_seq
          ) else 0 end as counted
        from unnest($11::uuid[], $12::bigint[], $13::bigint[], $14::bigint[], $15::uuid[], $16::bigint[])
          with ordinality b (group_id, first_seq, last_seq, messages, last_message_id, last_position, index)
        left join conversations c on c.group_id = b.group_id
      ), columns as (
        -- Arrays to look up by index: a join would depend on what the planner makes of a prepared batch.
        select array_agg(group_id order by index) as ids, array_agg(owner_id order by index) as owners,
          array_agg(head_seq order by index) as heads, array_agg(counted order by index) as counts
        from groups
      ), stored as (
        insert into messages
          (message_id, group_id, owner_id, seq, sender_id, client_msg_id, text, terms, file_ids, reply_to, sent_at,
            position, changed_seq, ordinal)
        select b.message_id, g.ids[b.group_index], g.owners[b.group_index], b.seq, b.sender_id, b.client_msg_id,
          b.text, b.terms::tsvector, b.file_ids::uuid[], b.reply_to, b.sent_at, b.position, b.seq,
          g.counts[b.group_index] + b.nth
        from unnest($1::uuid[], $2::int[], $3::bigint[], $4::uuid[], $5::text[], $6::text[], $7::uuid[],
          $8::timestamptz[], $9::bigint[], $10::int[], $17::text[], $18::uuid[])
          b (message_id, nth, seq, sender_id, text, file_ids, reply_to, sent_at, position, group_index, terms,
            client_msg_id)
        cross join columns g
        where b.seq > g.heads[b.group_index]
        returning group_id, sender_id
      ), counted as (
        insert into participants as s (group_id, user_id, sent)
        select group_id, sender_id, count(*) from stored group by group_id, sender_id
        on conflict (group_id, user_id) do update set sent = s.sent + excluded.sent
      )
      , active as (
        update threads t set activity = g.last_position, moved = g.last_position, last_seq = g.last_seq
        from groups g
        where g.is_thread and t.group_id = g.group_id and t.activity < g.last_position
      )
      insert into conversations (group_id, head_seq, message_count, last_message_id, last_position)
      select group_id, last_seq, counted + messages, last_message_id, last_position from groups
      where last_seq > head_seq
      on conflict (group_id) do update
      set head_seq = excluded.head_seq, message_count = excluded.message_count,
        last_message_id = excluded.last_message_id, last_position = excluded.last_position`,
    values: [
      plain(events.map(({ data }) => data.messageId)),
      plain(nth),
      plain(events.map(({ revision }) => revision + 1)),
      plain(events.map(({ data }) => data.senderId)),
      texts(events.map(({ data }) => data.text)),
      lists(events.map(({ data }) => data.fileIds)),
      plain(events.map(({ data }) => data.replyTo)),
      plain(events.map(({ occurredAt }) => occurredAt)),
      plain(events.map(({ position }) => position)),
      plain(groupOf),
      plain(groups.map(({ last }) => last.data.groupId)),
      plain(groups.map(({ firstSeq }) => firstSeq)),
      plain(groups.map(({ last }) => last.revision + 1)),
      plain(groups.map(({ messages }) => messages)),
      plain(groups.map(({ last }) => last.data.messageId)),
      plain(groups.map(({ last }) => last.position)),
      texts(events.map(({ data }) => termsOf(data.text))),
      plain(events.map(({ data }) => data.clientMsgId)),
    ],
  };
}

/** The last event of a batch in one conversation, where that is no message. */
type Raised = Recorded<ConversationEvent>;

const raiseHeads = statementAbout<Raised>({
  name: 'raise-heads',
  columns: {
    group_id: column.uuid(({ data }) => data.groupId),
    head_seq: column.bigint(({ revision }) => revision + 1),
  },
  text: ({ names, batch }) => `
    insert into conversations (${names}, message_count)
    select b.*, 0 from ${batch}
    on conflict (group_id) do update set head_seq = excluded.head_seq
    where conversations.head_seq < excluded.head_seq`,
});

const moveThreads = statementAbout<Raised>({
  name: 'move-threads',
  columns: {
    group_id: column.uuid(({ data }) => data.groupId),
    moved: column.bigint(({ position }) => position),
  },
  text: ({ batch }) => `
    update threads t set moved = b.moved
    from ${batch}
    where t.group_id = b.group_id and t.moved < b.moved`,
});

const expire = statementAbout<Expired>({
  name: 'expire',
  columns: {
    group_id: column.uuid(({ data }) => data.groupId),
    month: column.word(({ data }) => data.month),
    expired_at: column.timestamptz(({ occurredAt }) => occurredAt),
  },
  // Months expire in their order, apart from one that a hold kept.
  text: ({ batch }) => `
    insert into expired_months (group_id, month, expired_at)
    select b.group_id, b.month, b.expired_at from ${batch}
    on conflict do nothing`,
});

/** The messages in their current state. */
export const conversations = defineProjection({
  name: 'conversations',
  version: 8,
  // Free space on the pages lets PostgreSQL update rows in place (HOT): two rows of counts change with every
  // message.
  tables: `
    create table conversations (
      group_id uuid primary key,
      -- The group's owner: a searcher in most of the owner's groups looks them up by owner.
      owner_id uuid,
      -- From where those who come in see it: start, or joined.
      history_from text not null default 'start',
      is_thread boolean not null default false,
      head_seq bigint not null,
      message_count bigint not null,
      last_message_id uuid,
      last_position bigint
    ) with (fillfactor = 50);
    create table messages (
      message_id uuid primary key,
      group_id uuid not null,
      owner_id uuid,
      seq bigint not null,
      sender_id uuid not null,
      client_msg_id uuid not null,
      text text,
      -- What it is found by; null where there is no word in it.
      terms tsvector,
      file_ids uuid[] not null,
      reply_to uuid,
      sent_at timestamptz not null,
      edited_at timestamptz,
      deleted_at timestamptz,
      -- The seq of the last event that touched the message; older events change nothing any more.
      changed_seq bigint not null,
      -- The message's ordinal within its group: 1, 2, 3 …
      ordinal bigint not null,
      position bigint not null
    );
    -- Arrivals look up the last message before them, also while a read model is loaded.
    create unique index messages_in_order on messages (group_id, seq);
    create table participants (
      group_id uuid,
      user_id uuid,
      is_in boolean not null default false,
      sent bigint not null,
      -- Where the conversation stood when they came in last: its seq, its messages, those of their own.
      from_seq bigint not null default 0,
      from_total bigint not null default 0,
      from_own bigint not null default 0,
      -- Messages up to here do not exist for them.
      hidden_seq bigint not null default 0,
      primary key (group_id, user_id)
    ) with (fillfactor = 50);
    create table threads (
      group_id uuid primary key,
      job_id uuid not null,
      -- The company that posted the job.
      owner_id uuid not null,
      application_id uuid not null,
      applicant_id uuid not null,
      -- Who of the company sees to it, and the group's version that this is as of.
      assignee_id uuid,
      assigned_roster bigint not null default 0,
      status text not null,
      -- Of the application's stream.
      status_revision bigint not null,
      -- Position of the last message, or of the creation, and seq of that message.
      activity bigint not null,
      last_seq bigint not null,
      -- Position of the last event of the conversation.
      moved bigint not null
    ) with (fillfactor = 80);
    create table expired_months (
      group_id uuid,
      -- YYYY-MM, in UTC.
      month text collate "C",
      expired_at timestamptz not null,
      primary key (group_id, month)
    );
    create table reactions (
      message_id uuid,
      emoji text collate "C",
      user_id uuid,
      seq bigint not null,
      primary key (message_id, emoji, user_id)
    )`,
  indexes: `
    create index messages_deleted on messages (group_id, seq) include (sender_id) where deleted_at is not null;
    create index participants_of_user on participants (user_id);
    create index threads_of_job on threads (job_id, activity);
    create index threads_of_owner on threads (owner_id, activity);
    create index threads_of_applicant on threads (applicant_id, activity);
    create index threads_that_moved on threads (owner_id, moved);
    create index messages_by_file on messages using gin (file_ids) where file_ids <> '{}';
    -- Group or owner, time and words: one lookup meets all three, so that it costs what it finds. The writer that fills
    -- the pending list sorts it in; readers scan the list, so it is short.
    create index messages_by_text on messages using gin (
      (array[group_id, owner_id]), public.search_stretches(position), terms
    ) with (gin_pending_list_limit = 512) where terms is not null`,
  handles: [
    ...movementTypes,
    'GroupKindChanged',
    'ThreadAssigned',
    ...decisionTypes,
    ...typesOf(conversationEvents),
    ...typesOf(retentionEvents),
  ],
  project: (events) => {
    const created: Created[] = [];
    const sent: Sent[] = [];
    const changes: MessageChange[] = [];
    const movements: Movement[] = [];
    const expired: Expired[] = [];
    const assigned = new Map<string, Assigned>();
    const kinds = new Map<string, KindChanged>();
    const decisions = new Map<string, Decision>();
    const heads = new Map<string, Raised>();
    for (const event of events) {
      const { groupId } = event.data;
      if (isDecision(event)) {
        if (event.data.isPrivate) decisions.set(groupId, event);
      } else if (isMovement(event)) {
        movements.push(event);
        if (event.type === 'ChatGroupCreated') created.push(event);
      } else if (event.type === 'ThreadAssigned') {
        assigned.set(groupId, event);
      } else if (event.type === 'GroupKindChanged') {
        kinds.set(groupId, event);
      } else if (event.type === 'MonthExpired') {
        expired.push(event);
      } else if (event.type === 'MessageSent') {
        sent.push(event);
        heads.delete(groupId);
      } else {
        changes.push(event);
        heads.set(groupId, event);
      }
    }
    return [
      ...own(created),
      ...openThreads(created.filter(({ data }) => data.kind === 'thread')),
      ...decide([...decisions.values()]),
      ...assignThreads([...assigned.values()]),
      ...changeHistory([...kinds.values()]),
      ...(sent.length > 0 ? [send(sent)] : []),
      ...changeMessages(changes),
      ...moveParticipants(movements),
      ...raiseHeads([...heads.values()]),
      ...moveThreads([...heads.values()]),
      ...expire(expired),
    ];
  },
});
