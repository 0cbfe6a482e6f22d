import { z } from 'zod';
import { NewMessageText } from '../../events/conversation.ts';
import type { NoteEvent } from '../../events/domain-event.ts';
import { ClientMsgId, NoteId } from '../../events/ids.ts';
import { notesStream } from '../../events/streams.ts';
import { type Account, accountOf } from '../account/account.ts';
import { actorId, defineCommand } from '../command.ts';
import { companyOfJob } from '../job/job.ts';
import { ensure } from '../rejection.ts';
import { type Desk, applicationInput, deskOf, mayWithNotes, requireNotes } from './notes.ts';

const input = z.strictObject({ ...applicationInput, clientMsgId: ClientMsgId, text: NewMessageText });

/**
 * Adds a note of one of the company's people to an application. Like a message it is appended at any revision, and its
 * `clientMsgId` names it for ever. Of somebody who is erased nothing new is kept.
 */
export const addNote = defineCommand<z.infer<typeof input>, Desk & { applicant: Account }, NoteEvent>({
  name: 'AddNote',
  input,
  refuses: ['APPLICATION_NOT_FOUND', 'ROLE_NOT_ALLOWED', 'ERASURE_DONE', 'CLIENT_MSG_ID_REUSED'],
  writes: ({ applicationId }) => notesStream(applicationId),
  reads: (subject) => ({ ...deskOf(subject), applicant: accountOf(subject.applicantId) }),
  readsThen: companyOfJob,
  key: ({ clientMsgId }, _known, actor) => `${actorId(actor)}/${clientMsgId}`,
  // The text of the first may be erased by now.
  repeats: ({ applicationId, text }, { type, data }) =>
    type === 'NoteAdded' && data.applicationId === applicationId && (data.text ?? text) === text,
  decide: (note, known, { actor, newId }) => {
    requireNotes(known, note, actor);
    const authorId = actorId(actor);
    ensure(authorId !== null && mayWithNotes(known, note, actor, 'writeNotes'), 'ROLE_NOT_ALLOWED');
    ensure(known.applicant.status !== 'erased', 'ERASURE_DONE');
    return [{ type: 'NoteAdded', data: { ...note, noteId: NoteId.parse(newId()), authorId } }];
  },
});
