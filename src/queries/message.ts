import { sql } from 'slonik';
import { z } from 'zod';
import { FileStatus } from '../events/file.ts';

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
  text: z.string().nullable(),
  /** When the sender was erased, and the text with it. */
  erasedAt: z.string().nullable(),
  files: z.array(NamedFile),
  replyTo: z.string().nullable(),
  reactions: z.record(z.string(), z.array(z.string())),
  occurredAt: z.string(),
  editedAt: z.string().nullable(),
  deletedAt: z.string().nullable(),
});
export type Message = z.infer<typeof Message>;

/** A join to `conversations.messages m`: when the sender was erased, or the month of the message expired, if so. */
export const erasure = sql.fragment`
  left join lateral (
    select a.erased_at as at from accounts.accounts a where a.user_id = m.sender_id and a.erased_at is not null
    union all
    select e.expired_at from conversations.expired_months e
    where e.group_id = m.group_id and e.month = to_char(m.sent_at at time zone 'UTC', 'YYYY-MM')
    order by at limit 1
  ) erased on true`;

/**
 * The columns of a message from `conversations.messages m`, joined with `erasure`. Reactions are in the order of their arrival,
 * files in the order in which they were named. The read model of files may be a moment behind that of
 * messages.
 */
export const message = sql.fragment`
  m.message_id as id, m.group_id as "groupId", m.seq, m.sender_id as "senderId",
  -- The text goes a moment after the person.
  case when erased.at is null then m.text end as text, erased.at as "erasedAt",
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
  coalesce((
    select json_object_agg(r.emoji, r.users order by r.first)
    from (
      select emoji, json_agg(user_id order by seq) as users, min(seq) as first
      from conversations.reactions where message_id = m.message_id group by emoji
    ) r
  ), '{}') as reactions,
  m.sent_at as "occurredAt", m.edited_at as "editedAt", m.deleted_at as "deletedAt"`;
