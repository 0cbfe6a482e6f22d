import { z } from 'zod';
import type { FileEvent } from '../../events/domain-event.ts';
import { ContentType, FileName, Sha256 } from '../../events/file.ts';
import { FileId, GroupId } from '../../events/ids.ts';
import { fileStream } from '../../events/streams.ts';
import { membershipIn } from '../chat-group/chat-group.ts';
import { type Room, companyOfRoom, requireInRoom } from '../chat-group/room.ts';
import { actorId, defineCommand } from '../command.ts';
import { ensure } from '../rejection.ts';
import { type File, fileOf } from './file.ts';
import { safeFileName } from './file-name.ts';

/** One hour less than the age at which orphans are removed, so that the removal never races a message. */
const SEND_WITHIN_MS = 23 * 60 * 60 * 1000;

/** A media type as browsers send it: parameters are dropped, case does not matter, and an unknown type is empty. */
const givenContentType = z
  .string()
  .max(255)
  .transform((value) => value.split(';', 1)[0]!.trim().toLowerCase() || 'application/octet-stream')
  .pipe(ContentType)
  .meta({
    description:
      'A media type of at most 127 characters, one of `file.types` of `GET /v1/limits` that fits the name; ' +
      'parameters are dropped, and an empty one is `application/octet-stream`',
    pattern:
      '^(?:[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,62}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,62})?(?: *;[ -~]*)?$',
  });

const givenSha256 = z
  .string()
  .max(64)
  .transform((value) => value.toLowerCase())
  .pipe(Sha256)
  .meta({ pattern: '^[0-9A-Fa-f]{64}$', description: 'Of the bytes' });

const input = z.strictObject({
  fileId: FileId,
  groupId: GroupId,
  name: FileName,
  contentType: givenContentType,
  size: z.int().min(1).describe('Bytes'),
  sha256: givenSha256.nullish(),
});

/** Requests an upload. The limits of size and type are settings, so the route checks them. */
export const requestUpload = defineCommand<z.infer<typeof input>, Room & { file: File }, FileEvent>({
  name: 'RequestUpload',
  input,
  refuses: ['GROUP_NOT_FOUND', 'ROLE_NOT_ALLOWED', 'GROUP_CLOSED'],
  opens: true,
  writes: ({ fileId }) => fileStream(fileId),
  reads: ({ fileId, groupId }, actor) => ({ file: fileOf(fileId), group: membershipIn(groupId, actor) }),
  readsThen: companyOfRoom,
  decide: ({ name, sha256 = null, ...asked }, known, { actor, now }) => {
    requireInRoom(known, actor, 'files');
    const { file, group } = known;
    const uploaderId = actorId(actor);
    ensure(uploaderId !== null, 'ROLE_NOT_ALLOWED');
    ensure(group.status === 'open', 'GROUP_CLOSED');
    if (file.status !== 'none') return [];
    const sendBy = new Date(now.getTime() + SEND_WITHIN_MS).toISOString();
    return [
      {
        type: 'FileUploadRequested',
        data: { ...asked, uploaderId, name: safeFileName(name), sha256, sendBy },
      },
    ];
  },
});
