import { type DatabasePool, sql } from 'slonik';
import { z } from 'zod';
import type { FileId, GroupId, UserId } from '../events/ids.ts';

const NamedRow = z.object({
  fileId: z.string().brand<'FileId'>(),
  hiddenFrom: z.array(z.string().brand<'UserId'>()),
});

/** A file of a group. */
export interface FileOfGroup {
  fileId: FileId;
  groupId: GroupId;
}

/**
 * Resolves with those of the files that a message of their group names, each with the members who see no such message.
 * A deleted message names no files.
 */
export async function namedFiles(
  db: DatabasePool,
  files: readonly FileOfGroup[],
): Promise<Map<FileId, readonly UserId[]>> {
  const fileIds = files.map(({ fileId }) => fileId);
  const groupIds = files.map(({ groupId }) => groupId);
  const rows = await db.any(sql.type(NamedRow)`
    select f.file_id as "fileId", array(
      select p.user_id from conversations.participants p
      where p.group_id = f.group_id and p.is_in and p.hidden_seq >= named.last_seq
    ) as "hiddenFrom"
    from unnest(${sql.array(fileIds, 'uuid')}, ${sql.array(groupIds, 'uuid')}) f (file_id, group_id)
    cross join lateral (
      select max(m.seq) as last_seq from conversations.messages m
      where m.file_ids @> array[f.file_id] and m.file_ids <> '{}' and m.group_id = f.group_id
    ) named
    where named.last_seq is not null`);
  return new Map(rows.map(({ fileId, hiddenFrom }) => [fileId, hiddenFrom]));
}
