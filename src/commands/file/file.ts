import type { FileEvent } from '../../events/domain-event.ts';
import { type FileStatus, type RefusalReason, refusedStatus } from '../../events/file.ts';
import type { FileId, GroupId, UserId } from '../../events/ids.ts';
import { fileStream } from '../../events/streams.ts';
import { ERASED } from '../../events/personal-text.ts';
import type { Aggregate, AggregateRef } from '../command.ts';

/** The declaration of the file when its upload was requested. */
export interface Upload {
  fileId: FileId;
  groupId: GroupId;
  uploaderId: UserId;
  name: string;
  contentType: string;
  size: number;
  sha256: string | null;
  sendBy: string;
}

export type File =
  | { status: 'none' }
  | (Upload & { status: 'pending' })
  | (Upload & { status: 'scanning'; etag: string })
  | (Upload & { status: 'clean'; hasThumbnail: boolean })
  | (Upload & { status: 'refused'; reason: RefusalReason; signature: string | null });
export type ExistingFile = Exclude<File, { status: 'none' }>;

const file: Aggregate<File, FileEvent> = {
  initial: { status: 'none' },
  evolve: (state, { type, data }): File => {
    if (type === 'FileUploadRequested') return { status: 'pending', ...data };
    if (state.status === 'none') return state;
    const { fileId, groupId, uploaderId, name, contentType, size, sha256, sendBy } = state;
    const upload = { fileId, groupId, uploaderId, name, contentType, size, sha256, sendBy };
    switch (type) {
      case 'FileUploaded':
        return { ...upload, status: 'scanning', etag: data.etag };
      case 'FileCleared':
        return {
          ...upload,
          name: data.name ?? name,
          contentType: data.contentType ?? contentType,
          status: 'clean',
          hasThumbnail: data.hasThumbnail,
        };
      case 'FileRefused':
        return {
          ...upload,
          ...(data.reason === 'erased' && { name: ERASED }),
          ...{ status: 'refused', reason: data.reason, signature: data.signature },
        };
    }
  },
};

export const fileOf = (fileId: FileId): AggregateRef<File> => ({
  stream: fileStream(fileId),
  aggregate: file,
});

/** Returns the fields that all events of a file have. */
export const subjectOf = ({ fileId, groupId, uploaderId }: ExistingFile) => ({ fileId, groupId, uploaderId });

export const fileStatus = (state: ExistingFile): FileStatus =>
  state.status === 'refused' ? refusedStatus(state.reason) : state.status;
