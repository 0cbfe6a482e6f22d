import { z } from 'zod';
import type { FileEvent } from '../../events/domain-event.ts';
import { fileEvents } from '../../events/file.ts';
import { FileId } from '../../events/ids.ts';
import { fileStream } from '../../events/streams.ts';
import { defineCommand } from '../command.ts';
import { isSelf } from '../chat-group/chat-group.ts';
import { ensure } from '../rejection.ts';
import { type File, fileOf, subjectOf } from './file.ts';

const input = z.strictObject({ fileId: FileId, etag: fileEvents.FileUploaded.shape.etag });

/** Records that the bytes have arrived. Only the uploader may know of the file. A repetition changes nothing. */
export const completeUpload = defineCommand<z.infer<typeof input>, { file: File }, FileEvent>({
  name: 'CompleteUpload',
  input,
  refuses: ['FILE_NOT_FOUND'],
  writes: ({ fileId }) => fileStream(fileId),
  reads: ({ fileId }) => ({ file: fileOf(fileId) }),
  decide: ({ etag }, { file }, { actor }) => {
    ensure(file.status !== 'none', 'FILE_NOT_FOUND');
    ensure(actor === 'system' || isSelf(actor, file.uploaderId), 'FILE_NOT_FOUND');
    if (file.status !== 'pending') return [];
    return [{ type: 'FileUploaded', data: { ...subjectOf(file), etag } }];
  },
});
