import type { Logger } from 'pino';
import type { AggregateLoader } from '../../commands/aggregate-cache.ts';
import { type Room, loadRoom, mayInRoom } from '../../commands/chat-group/room.ts';
import type { EventStore } from '../../events/event-store.ts';
import type { FileId, UserId } from '../../events/ids.ts';
import { type Progress, caughtUp } from '../../projections/projection.ts';
import type { FileOfGroup } from '../../queries/named-files.ts';
import type { Delivery } from './delivery.ts';
import type { FilePush } from './file-news.ts';
import { createLane } from './lane.ts';

/** Number of files whose news may wait. Beyond it the oldest are lost, as hints may be. */
const MOST_WAITING = 1_000;

/**
 * Resolves with those of the files that a message names, at least as the log was at the call, each with the members who
 * see no such message. Rejects with `NotCaughtUp`.
 */
export type NamedFiles = (files: readonly FileOfGroup[]) => Promise<ReadonlyMap<FileId, readonly UserId[]>>;

export const createNamedFiles =
  ({
    store,
    progress,
    queries,
  }: {
    store: Pick<EventStore, 'head'>;
    progress: Pick<Progress, 'reached'>;
    queries: { namedFiles: NamedFiles };
  }): NamedFiles =>
  async (files) => {
    await caughtUp(progress, await store.head(), ['conversations']);
    return queries.namedFiles(files);
  };

/** Returns the people of the company who may read a room, but not see its files. */
const withoutFiles = (room: Room): UserId[] =>
  [...(room.company?.members.keys() ?? [])].filter((userId) => !mayInRoom(room, userId, 'files'));

interface MemberNewsDeps {
  delivery: Pick<Delivery, 'members'>;
  loader: Pick<AggregateLoader, 'refresh'>;
  namedFiles: NamedFiles;
  signal: AbortSignal;
  log: Logger;
}

/**
 * Returns the function that tells the members of a group what has become of a file, if a message that they see names it.
 * Whether one does, the read model knows. The pushes do not wait for that: this runs beside them, in the order of the
 * calls, and of each file that waits only the latest is told.
 */
export function tellMembers({ delivery, loader, namedFiles, signal, log }: MemberNewsDeps) {
  async function tell({ uploaderId, news }: FilePush): Promise<void> {
    const hiddenFrom = (await namedFiles([news])).get(news.fileId);
    if (!hiddenFrom) return;
    const room = await loadRoom((ref) => loader.refresh(ref), news.groupId);
    const to = { needs: room.revision, except: [uploaderId, ...hiddenFrom] };
    if (!signal.aborted) delivery.members(news, { ...to, withoutReason: withoutFiles(room) });
  }

  const later = createLane<FileId, FilePush>({
    most: MOST_WAITING,
    work: (_fileId, push) => tell(push),
    failed: (err) =>
      log.warn({ err }, 'who sees a file is not known; members learn its status when they ask'),
  });
  return (push: FilePush): void => later(push.news.fileId, push);
}
