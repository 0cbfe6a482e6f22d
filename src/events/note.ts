import { z } from 'zod';
import { MessageText } from './conversation.ts';
import { ApplicationId, JobId, NoteId, RecordedClientMsgId, UserId } from './ids.ts';

const subject = { applicationId: ApplicationId, jobId: JobId, applicantId: UserId, noteId: NoteId };

/**
 * What the people of a company note about an application, in a stream that no applicant reads. `seq` of each is its
 * revision there + 1.
 */
export const noteEvents = {
  /** Without a text once the applicant is erased. */
  NoteAdded: z.strictObject({
    ...subject,
    authorId: UserId,
    clientMsgId: RecordedClientMsgId,
    text: MessageText.nullable(),
  }),
  NoteDeleted: z.strictObject(subject),
};
