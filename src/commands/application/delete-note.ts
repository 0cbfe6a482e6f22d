import { z } from 'zod';
import type { NoteEvent } from '../../events/domain-event.ts';
import { NoteId } from '../../events/ids.ts';
import { notesStream } from '../../events/streams.ts';
import { actorId, defineCommand } from '../command.ts';
import { companyOfJob } from '../job/job.ts';
import { ensure } from '../rejection.ts';
import {
  type Desk,
  type Notes,
  applicationInput,
  deskOf,
  mayWithNotes,
  notesOf,
  requireNotes,
} from './notes.ts';

const input = z.strictObject({ ...applicationInput, noteId: NoteId });

/** Deletes a note, by its author or an owner of the company. */
export const deleteNote = defineCommand<z.infer<typeof input>, Desk & { notes: Notes }, NoteEvent>({
  name: 'DeleteNote',
  input,
  refuses: ['APPLICATION_NOT_FOUND', 'NOTE_NOT_FOUND', 'NOT_NOTE_AUTHOR'],
  writes: ({ applicationId }) => notesStream(applicationId),
  reads: (subject) => ({ ...deskOf(subject), notes: notesOf(subject.applicationId) }),
  readsThen: companyOfJob,
  decide: (deletion, known, { actor }) => {
    requireNotes(known, deletion, actor);
    const note = known.notes.get(deletion.noteId);
    ensure(note !== undefined, 'NOTE_NOT_FOUND');
    const mayDelete = note.authorId === actorId(actor) || mayWithNotes(known, deletion, actor, 'manageNotes');
    ensure(mayDelete, 'NOT_NOTE_AUTHOR');
    return note.isDeleted ? [] : [{ type: 'NoteDeleted', data: deletion }];
  },
});
