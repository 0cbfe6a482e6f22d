import { type DatabasePool, sql } from 'slonik';
import { z } from 'zod';
import { FileStatus } from '../events/file.ts';
import type { FileId, GroupId, UserId } from '../events/ids.ts';

const Found = z.object({ found: z.boolean() });
const ToInspect = z.object({ fileId: z.string().brand<'FileId'>() });
const Orphan = ToInspect.extend({ status: FileStatus.extract(['pending', 'clean']) });
export type Orphan = z.infer<typeof Orphan>;

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

/**
 * Resolves with true if a message of the group that the user sees names the file. A deleted message names no files.
 */
export async function isNamed(
  db: DatabasePool,
  { fileId, groupId, userId }: { fileId: FileId; groupId: GroupId; userId: UserId },
): Promise<boolean> {
  return db.oneFirst(sql.type(Found)`
    select exists (
      select from conversations.messages m
      where file_ids @> array[${fileId}::uuid] and file_ids <> '{}' and m.group_id = ${groupId} and not exists (
        select from conversations.participants p
        where p.group_id = m.group_id and p.user_id = ${userId} and m.seq <= p.hidden_seq
      )
    ) as found`);
}
