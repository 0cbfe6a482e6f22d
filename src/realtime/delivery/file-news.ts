import type { DomainEvent, FileEvent } from '../../events/domain-event.ts';
import type { Revision } from '../../events/event-store.ts';
import { fileEvents, refusedStatus } from '../../events/file.ts';
import type { UserId } from '../../events/ids.ts';
import type { FileOfGroup } from '../../queries/named-files.ts';
import type { ServerToClientEvents } from '../connection/protocol.ts';
import { groupRoom, userRoom } from '../rooms/rooms.ts';
import type { Flags, Send } from './wire.ts';

export type FileNews = FileOfGroup & Parameters<ServerToClientEvents['fileStatusChanged']>[0];

/** What has become of a file, and who uploaded it. */
export interface FilePush {
  uploaderId: UserId;
  news: FileNews;
}

const isFileEvent = (event: DomainEvent): event is FileEvent => Object.hasOwn(fileEvents, event.type);

/** Returns what clients are told of an event; undefined for nothing. */
export function filePushOf(event: DomainEvent): FilePush | undefined {
  if (!isFileEvent(event)) return undefined;
  const { type, data } = event;
  const { fileId, groupId, uploaderId } = data;
  switch (type) {
    case 'FileUploadRequested':
      return undefined;
    case 'FileUploaded':
      return { uploaderId, news: { fileId, groupId, status: 'scanning' } };
    case 'FileCleared':
      return { uploaderId, news: { fileId, groupId, status: 'clean' } };
    case 'FileRefused': {
      const { reason } = data;
      return { uploaderId, news: { fileId, groupId, status: refusedStatus(reason), reason } };
    }
  }
}

/** Those in a group's room who are told of a file. */
export interface FileReaders {
  /** The revision of the group's roster that this relies on. */
  needs: Revision;
  except: readonly UserId[];
  /** Those who may not see the file itself: they do not learn why it was refused. */
  withoutReason: readonly UserId[];
}

/** Writes news of a file to the sockets in the room of its group. */
export function writeFileNews(
  write: Send,
  news: FileNews,
  { except, withoutReason }: Omit<FileReaders, 'needs'>,
  flags: Flags = {},
): void {
  const rooms = new Set([groupRoom(news.groupId)]);
  const others = news.reason === undefined ? [] : withoutReason.map(userRoom);
  const none = except.map(userRoom);
  write({ data: ['fileStatusChanged', news] }, { rooms, except: new Set([...none, ...others]), flags });
  if (others.length === 0) return;
  const { reason: _hidden, ...plain } = news;
  const target = { rooms, except: new Set(none), flags: { ...flags, within: others } };
  write({ data: ['fileStatusChanged', plain] }, target);
}
