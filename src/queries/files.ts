import { type DatabasePool, type FragmentSqlToken, sql } from 'slonik';
import { z } from 'zod';
import { FileStatus, RefusalReason } from '../events/file.ts';
import type { FileId, GroupId, UserId } from '../events/ids.ts';

const Found = z.object({ found: z.boolean() });
const ToInspect = z.object({ fileId: z.string().brand<'FileId'>() });
const Orphan = ToInspect.extend({ status: FileStatus.extract(['pending', 'clean']) });
export type Orphan = z.infer<typeof Orphan>;
const SharedFile = z.object({
  fileId: z.string().brand<'FileId'>(),
  groupId: z.string().brand<'GroupId'>(),
  uploaderId: z.string().brand<'UserId'>(),
  name: z.string(),
  contentType: z.string(),
  size: z.number(),
  status: FileStatus,
  reason: RefusalReason.nullable(),
  hasThumbnail: z.boolean(),
});
/** A file as those see it who may know of it. */
export type SharedFile = z.infer<typeof SharedFile>;

/**
 * Resolves with the files that wait for inspection, those requested first ahead; with a time, only those
 * requested before it.
 */
export async function filesToInspect(
  db: DatabasePool,
  limit: number,
  requestedBefore?: Date,
): Promise<FileId[]> {
  const found = await db.anyFirst(sql.type(ToInspect)`
    select file_id as "fileId" from files.files
    where status = 'scanning' and requested_at < ${requestedBefore ? sql.timestamp(requestedBefore) : sql.fragment`'infinity'`}
    order by requested_at limit ${limit}`);
  return [...found];
}

/**
 * Resolves with orphans requested before that time: files that were never completed, named by a message or
 * not, and clean files that no message names.
 */
export async function orphans(db: DatabasePool, before: Date, limit: number): Promise<Orphan[]> {
  const found = await db.any(sql.type(Orphan)`
    select f.file_id as "fileId", f.status from files.files f
    where f.requested_at < ${sql.timestamp(before)} and (
      f.status = 'pending' or f.status = 'clean'
      and not exists (
        select from conversations.messages m where m.file_ids @> array[f.file_id] and m.file_ids <> '{}'
      )
    )
    order by f.requested_at limit ${limit}`);
  return [...found];
}

/** A condition: a message of the group that the user sees names the file. A deleted message names no files. */
const isNamedIn = (
  fileId: FragmentSqlToken,
  groupId: FragmentSqlToken,
  userId: UserId,
) => sql.fragment`exists (
      select from conversations.messages m
      where file_ids @> array[${fileId}] and file_ids <> '{}' and m.group_id = ${groupId} and not exists (
        select from conversations.participants p
        where p.group_id = m.group_id and p.user_id = ${userId} and m.seq <= p.hidden_seq
      )
    )`;

/** Resolves with true if a message of the group that the user sees names the file. */
export async function isNamed(
  db: DatabasePool,
  { fileId, groupId, userId }: { fileId: FileId; groupId: GroupId; userId: UserId },
): Promise<boolean> {
  return db.oneFirst(sql.type(Found)`
    select ${isNamedIn(sql.fragment`${fileId}::uuid`, sql.fragment`${groupId}`, userId)} as found`);
}

/**
 * Resolves with those of the files that the user uploaded, or that a message of a group of the user names as in `isNamed`, in
 * this order.
 */
export async function sharedFiles(
  db: DatabasePool,
  { fileIds, userId }: { fileIds: readonly FileId[]; userId: UserId },
): Promise<SharedFile[]> {
  const asked = sql.array(fileIds, 'uuid');
  const found = await db.any(sql.type(SharedFile)`
    select f.file_id as "fileId", f.group_id as "groupId", f.uploader_id as "uploaderId", f.name,
      f.content_type as "contentType", f.size, f.status, f.reason, f.has_thumbnail as "hasThumbnail"
    from files.files f
    where f.file_id = any (${asked}) and (
      f.uploader_id = ${userId} or exists (
        select from chat_groups.members mine
        where mine.group_id = f.group_id and mine.user_id = ${userId} and mine.is_active
      ) and ${isNamedIn(sql.fragment`f.file_id`, sql.fragment`f.group_id`, userId)}
    )
    order by array_position(${asked}, f.file_id)`);
  return [...found];
}
