import type { Folded } from '../commands/aggregate-cache.ts';
import { loadRoom, mayInRoom } from '../commands/chat-group/room.ts';
import { type ExistingFile, type File, fileOf } from '../commands/file/file.ts';
import { ensure } from '../commands/rejection.ts';
import type { FileId, GroupId, UserId } from '../events/ids.ts';
import { caughtUp } from '../projections/projection.ts';
import type { SharedFile } from '../queries/files.ts';
import type { RouteDeps } from './route-deps.ts';

/** Resolves with the current state of a file, by the log, for a user who may know of it. */
export type FileAccess = (fileId: FileId, userId: UserId) => Promise<Folded<ExistingFile>>;

const exists = (folded: Folded<File>): folded is Folded<ExistingFile> => folded.state.status !== 'none';

/**
 * The uploader may always know of a file. Others may while they have the right to the files of its group, by the current
 * log, and a message there that they can see names the file. Rejects with FILE_NOT_FOUND for all other users, as for a file that does not
 * exist, and with `NotCaughtUp` when that is not known in time.
 */
export const fileAccess =
  ({ loader, queries, progress, head }: FileAccessDeps): FileAccess =>
  async (fileId, userId) => {
    const file = await loader.refresh(fileOf(fileId));
    ensure(exists(file), 'FILE_NOT_FOUND');
    const { uploaderId, groupId } = file.state;
    if (uploaderId === userId) return file;
    const room = await loadRoom((ref) => loader.refresh(ref), groupId);
    ensure(mayInRoom(room, userId, 'files'), 'FILE_NOT_FOUND');
    // A receiver asks right after the push of the message; a sender who has deleted it relies on the refusal.
    await caughtUp(progress, await head(), ['conversations']);
    ensure(await queries.isNamed({ fileId, groupId, userId }), 'FILE_NOT_FOUND');
    return file;
  };

/** Resolves with those of the files that a user may know of, in this order, as they are now. */
export type KnownFiles = (fileIds: readonly FileId[], userId: UserId) => Promise<SharedFile[]>;

/** Applies the rules of `fileAccess` to many files: with one query for them, and the log of each of their groups. */
export const knownFiles =
  ({ loader, queries, progress, head }: FileAccessDeps): KnownFiles =>
  async (fileIds, userId) => {
    await caughtUp(progress, await head(), ['files', 'conversations', 'chat_groups']);
    const files = await queries.sharedFiles({ fileIds, userId });
    const isOwn = ({ uploaderId }: SharedFile) => uploaderId === userId;
    const groupIds = new Set(files.filter((file) => !isOwn(file)).map(({ groupId }) => groupId));
    const open = new Set<GroupId>();
    for (const groupId of groupIds) {
      const room = await loadRoom((ref) => loader.refresh(ref), groupId);
      if (mayInRoom(room, userId, 'files')) open.add(groupId);
    }
    return files.filter((file) => isOwn(file) || open.has(file.groupId));
  };

/** Resolves with true once the uploader has said that the bytes are there, whatever became of them. */
export const isUploaded =
  ({ loader }: Pick<RouteDeps, 'loader'>) =>
  async (fileId: FileId): Promise<boolean> => {
    const { status } = (await loader.refresh(fileOf(fileId))).state;
    return status !== 'none' && status !== 'pending';
  };

export interface FileAccessDeps extends Pick<RouteDeps, 'loader' | 'head'> {
  queries: Pick<RouteDeps['queries'], 'isNamed' | 'sharedFiles'>;
  progress: Pick<RouteDeps['progress'], 'reached'>;
}
