import { z } from 'zod';
import type { FileEvent } from '../../events/domain-event.ts';
import { fileEvents } from '../../events/file.ts';
import { FileId } from '../../events/ids.ts';
import { fileStream } from '../../events/streams.ts';
import { defineCommand } from '../command.ts';
import { ensure } from '../rejection.ts';
import { type File, fileOf, subjectOf } from './file.ts';

const { reason, signature } = fileEvents.FileRefused.shape;
const input = z.strictObject({ fileId: FileId, reason, signature });

/**
 * Refuses a file. A follower of the log deletes the bytes later (files/remove-leftover-bytes.ts). A cleared
 * file can only be refused because it was never sent, or its uploader is erased.
 */
export const refuseFile = defineCommand<z.infer<typeof input>, { file: File }, FileEvent>({
  name: 'RefuseFile',
  input,
  refuses: ['ROLE_NOT_ALLOWED', 'FILE_NOT_FOUND', 'FILE_CLEARED'],
  writes: ({ fileId }) => fileStream(fileId),
  reads: ({ fileId }) => ({ file: fileOf(fileId) }),
  decide: (refusal, { file }, { actor }) => {
    ensure(actor === 'system', 'ROLE_NOT_ALLOWED');
    ensure(file.status !== 'none', 'FILE_NOT_FOUND');
    if (file.status === 'refused') return [];
    ensure(file.status !== 'clean' || ['never-sent', 'erased'].includes(refusal.reason), 'FILE_CLEARED');
    return [
      {
        type: 'FileRefused',
        data: { ...subjectOf(file), reason: refusal.reason, signature: refusal.signature },
      },
    ];
  },
});
