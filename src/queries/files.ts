import { type DatabasePool, sql } from 'slonik';
import { z } from 'zod';
import { FileStatus } from '../events/file.ts';
import type { FileId, GroupId } from '../events/ids.ts';

const Found = z.object({ found: z.boolean() });
const ToInspect = z.object({ fileId: z.string().brand<'FileId'>() });
const Orphan = ToInspect.extend({ status: FileStatus.extract(['pending', 'clean']) });
export type Orphan = z.infer<typeof Orphan>;

/** The files whose bytes wait to be inspected, those that were asked for first ahead; or only those from before then. */
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

/** The files asked for before then that were never completed, whoever names them, or that are clean and no message names. */
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

/** Whether a message of the group names the file; one that was deleted names nothing any more. */
export async function isNamed(
  db: DatabasePool,
  { fileId, groupId }: { fileId: FileId; groupId: GroupId },
): Promise<boolean> {
  return db.oneFirst(sql.type(Found)`
    select exists (
      select from conversations.messages
      where file_ids @> array[${fileId}::uuid] and file_ids <> '{}' and group_id = ${groupId}
    ) as found`);
}
