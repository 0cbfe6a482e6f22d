import { z } from 'zod';
import { addNote } from '../../commands/application/add-note.ts';
import { deleteNote } from '../../commands/application/delete-note.ts';
import { loadDesk, requireNotes } from '../../commands/application/notes.ts';
import { ensure } from '../../commands/rejection.ts';
import { ApplicationId, NoteId } from '../../events/ids.ts';
import { caughtUp } from '../../projections/projection.ts';
import { commandRequest } from '../command-request.ts';
import type { HttpApp, RouteDeps } from '../route-deps.ts';
import { Done, Id, Limit, Position, Seq, Time, bodyOf, seqParameter } from '../../protocol/schemas.ts';
import { NotePage } from '../../protocol/views.ts';

const tags = ['Applications'];
const application = z.strictObject({ applicationId: ApplicationId });
const notes = z
  .strictObject({
    beforeSeq: seqParameter('Not together with afterSeq').optional(),
    afterSeq: seqParameter('Not together with beforeSeq').optional(),
    limit: Limit,
  })
  .refine(
    ({ beforeSeq, afterSeq }) => beforeSeq === undefined || afterSeq === undefined,
    'Only one of beforeSeq and afterSeq may be given',
  );
const AddNote = bodyOf(addNote, 'applicationId', 'jobId', 'applicantId').meta({
  id: 'AddNote',
  example: { clientMsgId: '0199f5a0-3b1c-7c2e-9d4f-5a6b7c8d9e0f', text: 'Knows engines; ask about Rust.' },
});
const Added = z
  .object({ noteId: Id, seq: Seq, occurredAt: Time, duplicate: z.boolean(), position: Position })
  .meta({ id: 'NoteAdded' });

/** Defines the routes of notes, by which a company's people write to each other about an application. */
export function noteRoutes(
  app: HttpApp,
  { handle, loader, queries, progress, head, positions }: RouteDeps,
): void {
  /** Finds what names the streams of an application, by the read model, which may be behind. Who asks does not matter. */
  async function find(applicationId: ApplicationId) {
    let found = await queries.subjectOf(applicationId);
    if (!found) {
      await caughtUp(progress, await head(), ['applications']);
      found = await queries.subjectOf(applicationId);
    }
    ensure(found !== null, 'APPLICATION_NOT_FOUND');
    return { applicationId, ...found };
  }

  app.get(
    '/v1/applications/:applicationId/notes',
    {
      config: { refusals: ['APPLICATION_NOT_FOUND'] },
      schema: {
        tags,
        operationId: 'listNotes',
        summary: 'Of the notes on an application, the newest, or those before or after a seq; ascending',
        params: application,
        querystring: notes,
        response: { 200: NotePage },
      },
    },
    async ({ session: { actor }, params: { applicationId }, query }) => {
      const subject = await find(applicationId);
      // The log decides, because a read model that is behind would show them to somebody who was removed.
      const desk = await loadDesk((ref) => loader.refresh(ref), subject, actor);
      requireNotes(desk, subject, actor);
      await caughtUp(progress, desk.position);
      return queries.listNotes({ userId: actor.userId, applicationId, ...query });
    },
  );

  app.post(
    '/v1/applications/:applicationId/notes',
    {
      config: { scope: 'applications:write', idempotentAs: 'AddNote', refusals: [...addNote.refuses] },
      schema: {
        tags,
        operationId: 'addNote',
        summary: 'Add a note for the company’s people; the same clientMsgId is the same note for ever',
        params: application,
        body: AddNote,
        response: { 201: Added, 200: Added.describe('It had been added before') },
      },
    },
    async (request, reply) => {
      const note = { ...(await find(request.params.applicationId)), ...request.body };
      const { events, duplicate, position } = await handle(addNote, note, commandRequest(request));
      const [added] = events;
      if (added?.type !== 'NoteAdded') throw new Error('AddNote must return a NoteAdded');
      return reply.code(duplicate ? 200 : 201).send({
        ...{ noteId: added.data.noteId, seq: added.revision + 1, occurredAt: added.occurredAt },
        ...{ duplicate, position: positions.encode(position) },
      });
    },
  );

  app.delete(
    '/v1/applications/:applicationId/notes/:noteId',
    {
      config: { scope: 'applications:write', refusals: [...deleteNote.refuses] },
      schema: {
        tags,
        operationId: 'deleteNote',
        summary: 'Delete a note of one’s own; an owner of the company may delete any',
        params: application.extend({ noteId: NoteId }),
        response: { 200: Done },
      },
    },
    async (request) => {
      const { applicationId, noteId } = request.params;
      const deletion = { ...(await find(applicationId)), noteId };
      const { position } = await handle(deleteNote, deletion, commandRequest(request));
      return { position: positions.encode(position) };
    },
  );
}
