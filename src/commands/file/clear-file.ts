import { z } from 'zod';
import type { FileEvent } from '../../events/domain-event.ts';
import { fileEvents } from '../../events/file.ts';
import { FileId } from '../../events/ids.ts';
import { fileStream } from '../../events/streams.ts';
import { defineCommand } from '../command.ts';
import { ensure } from '../rejection.ts';
import { type File, fileOf, subjectOf } from './file.ts';

const { sha256, hasThumbnail, contentType, name } = fileEvents.FileCleared.shape;
const input = z.strictObject({
  fileId: FileId,
  /** The etag of the inspected bytes. No other bytes are cleared. */
  etag: fileEvents.FileUploaded.shape.etag,
  sha256,
  hasThumbnail,
  contentType,
  name,
});

/** Clears a file. All checks have passed, and the bytes are where they can be downloaded. */
export const clearFile = defineCommand<z.infer<typeof input>, { file: File }, FileEvent>({
  name: 'ClearFile',
  input,
  refuses: ['ROLE_NOT_ALLOWED', 'FILE_NOT_FOUND', 'FILE_NOT_UPLOADED', 'FILE_REFUSED'],
  writes: ({ fileId }) => fileStream(fileId),
  reads: ({ fileId }) => ({ file: fileOf(fileId) }),
  decide: ({ etag, ...checked }, { file }, { actor }) => {
    ensure(actor === 'system', 'ROLE_NOT_ALLOWED');
    ensure(file.status !== 'none', 'FILE_NOT_FOUND');
    ensure(file.status !== 'pending', 'FILE_NOT_UPLOADED');
    if (file.status === 'clean') return [];
    ensure(file.status === 'scanning' && file.etag === etag, 'FILE_REFUSED');
    return [{ type: 'FileCleared', data: { ...subjectOf(file), ...checked } }];
  },
});
