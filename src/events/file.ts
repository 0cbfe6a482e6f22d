import { z } from 'zod';
import { FileId, GroupId, UserId } from './ids.ts';
import { text } from './text.ts';

export const FileName = text(1, 255);
/** A media type without parameters, in lower case. */
export const ContentType = z
  .string()
  .max(127)
  .regex(
    /^[a-z0-9][a-z0-9!#$&^_.+-]*\/[a-z0-9][a-z0-9!#$&^_.+-]*$/,
    'Must be a media type like application/pdf',
  );
export const Sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'Must be 64 hexadecimal digits');

/** Why a file was refused. `infected` comes with the name of the malware; the uploader can correct the rest. */
export const RefusalReason = z.enum([
  'infected',
  'wrong-size',
  'wrong-sha256',
  'type-not-allowed',
  'type-does-not-match',
  'encrypted',
  'archive-too-deep',
  'image-too-large',
  'inspection-failed',
  'never-completed',
  'never-sent',
  'erased',
]);
export type RefusalReason = z.infer<typeof RefusalReason>;

/** Status of a file, as clients see it. */
export const FileStatus = z.enum(['pending', 'scanning', 'clean', 'infected', 'rejected']);
export type FileStatus = z.infer<typeof FileStatus>;

/** The statuses of a refused file. */
export const RefusedStatus = FileStatus.extract(['infected', 'rejected']);

export const refusedStatus = (reason: RefusalReason): z.infer<typeof RefusedStatus> =>
  reason === 'infected' ? 'infected' : 'rejected';

const subject = { fileId: FileId, groupId: GroupId, uploaderId: UserId };
const time = z.iso.datetime({ precision: 3 });

export const fileEvents = {
  FileUploadRequested: z.strictObject({
    ...subject,
    name: FileName,
    contentType: ContentType,
    size: z.int().min(1),
    sha256: Sha256.nullable(),
    /** No message may name the file for the first time after this. An hour later it is removed if none does. */
    sendBy: time,
  }),
  /** The bytes are in quarantine; `etag` names this version of them. */
  FileUploaded: z.strictObject({ ...subject, etag: z.string().min(1).max(200) }),
  /**
   * Everything was checked; the bytes are in `clean/`. `contentType` and `name` are there when the bytes alone told the
   * type: they replace those of the request.
   */
  FileCleared: z.strictObject({
    ...subject,
    sha256: Sha256,
    hasThumbnail: z.boolean(),
    contentType: ContentType.optional(),
    name: FileName.optional(),
  }),
  /** The bytes can never be downloaded. A follower of the log deletes them later. */
  FileRefused: z.strictObject({ ...subject, reason: RefusalReason, signature: text(1, 200).nullable() }),
};
