import { type FragmentSqlToken, sql } from 'slonik';
import { z } from 'zod';
import { FileStatus } from '../events/file.ts';
import type { UserId } from '../events/ids.ts';

/** A time from a column, or from inside of JSON, where PostgreSQL writes it in a form of its own. */
const Time = z.string().transform((text) => new Date(text).toISOString());

/** A file as shown in the messages that name it. */
const NamedFile = z.object({
  fileId: z.string(),
  name: z.string(),
  contentType: z.string(),
  size: z.number(),
  status: FileStatus,
  hasThumbnail: z.boolean(),
});

/** A message as clients see it. */
export const Message = z.object({
  id: z.string(),
  groupId: z.string(),
  seq: z.number(),
  senderId: z.string(),
  sender: z.object({ id: z.string(), displayName: z.string() }),
  /** To its sender only. */
  clientMsgId: z
    .string()
    .nullable()
    .transform((id) => id ?? undefined),
  text: z.string().nullable(),
  /** When the sender was erased, and the text with it. */
  erasedAt: Time.nullable(),
  files: z.array(NamedFile),
  replyTo: z.string().nullable(),
  /** Null if that message is hidden. */
  replyToSeq: z.number().nullable(),
  reactions: z.record(z.string(), z.array(z.string())),
  occurredAt: Time,
  editedAt: Time.nullable(),
  deletedAt: Time.nullable(),
});
export type Message = z.infer<typeof Message>;

/**
 * Joins to `conversations.messages m`: its sender, and when its month expired, if it has. They are no plain joins, so that
 * no plan reads all accounts first.
 */
export const circumstances = sql.fragment`
  left join lateral (
    select a.display_name, a.erased_at from accounts.accounts a where a.user_id = m.sender_id limit 1
  ) sender on true
  left join lateral (
    select e.expired_at from conversations.expired_months e
    where e.group_id = m.group_id and e.month = to_char(m.sent_at at time zone 'UTC', 'YYYY-MM') limit 1
  ) month on true`;

/** When the sender was erased, or the month of the message expired, if so. */
const erasedAt = sql.fragment`least(sender.erased_at, month.expired_at)`;

/**
 * Returns the columns of a message from `conversations.messages m`, joined with its `circumstances`, as somebody sees it
 * from whom messages up to `hiddenSeq` are hidden. Reactions are in the order of their arrival, files in the order in which
 * they were named. The read model of files may be a moment behind that of messages.
 */
export const messageFor = (userId: UserId | FragmentSqlToken, hiddenSeq: FragmentSqlToken) => sql.fragment`
  m.message_id as id, m.group_id as "groupId", m.seq, m.sender_id as "senderId",
  json_build_object('id', m.sender_id, 'displayName', coalesce(sender.display_name, '')) as sender,
  case when m.sender_id = ${userId} then m.client_msg_id end as "clientMsgId",
  -- The text goes a moment after the person.
  case when ${erasedAt} is null then m.text end as text, ${erasedAt} as "erasedAt",
  case when m.file_ids = '{}' then '[]'::json
    else (
      select json_agg(json_build_object(
        'fileId', named.file_id, 'name', coalesce(f.name, ''),
        'contentType', coalesce(f.content_type, 'application/octet-stream'), 'size', coalesce(f.size, 0),
        'status', coalesce(f.status, 'pending'), 'hasThumbnail', coalesce(f.has_thumbnail, false)
      ) order by named.place)
      from unnest(m.file_ids) with ordinality named (file_id, place)
      left join files.files f on f.file_id = named.file_id
    ) end as files,
  m.reply_to as "replyTo",
  case when m.reply_to is not null then (
    select answered.seq from conversations.messages answered
    where answered.message_id = m.reply_to and answered.seq > ${hiddenSeq}
  ) end as "replyToSeq",
  coalesce((
    select json_object_agg(r.emoji, r.users order by r.first)
    from (
      select emoji, json_agg(user_id order by seq) as users, min(seq) as first
      from conversations.reactions where message_id = m.message_id group by emoji
    ) r
  ), '{}') as reactions,
  m.sent_at as "occurredAt", m.edited_at as "editedAt", m.deleted_at as "deletedAt"`;
