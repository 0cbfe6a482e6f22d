import { Map as ImmutableMap } from 'immutable';
import type { NoteEvent } from '../../events/domain-event.ts';
import type { Position } from '../../events/event-store.ts';
import { ApplicationId, JobId, type NoteId, UserId } from '../../events/ids.ts';
import { notesStream } from '../../events/streams.ts';
import type { Load } from '../aggregate-cache.ts';
import type { ActorOrSystem, Aggregate, AggregateRef } from '../command.ts';
import { type Company, mayIn } from '../company/company.ts';
import { type Job, companyOfJob, jobOf } from '../job/job.ts';
import { ensure } from '../rejection.ts';
import { type Application, applicationOf } from './application.ts';

/** The notes on an application, without what they say. */
export type Notes = ImmutableMap<NoteId, { authorId: UserId; isDeleted: boolean }>;

const notes: Aggregate<Notes, NoteEvent> = {
  initial: ImmutableMap(),
  evolve: (state, { type, data }): Notes => {
    if (type === 'NoteAdded') return state.set(data.noteId, { authorId: data.authorId, isDeleted: false });
    const note = state.get(data.noteId);
    return note ? state.set(data.noteId, { ...note, isDeleted: true }) : state;
  },
};

export const notesOf = (applicationId: ApplicationId): AggregateRef<Notes> => ({
  stream: notesStream(applicationId),
  aggregate: notes,
});

/** The input of every command about notes: the application, and what its stream is named by. */
export const applicationInput = { applicationId: ApplicationId, jobId: JobId, applicantId: UserId };
interface Subject {
  applicationId: ApplicationId;
  jobId: JobId;
  applicantId: UserId;
}

/** What decides about the notes on an application. */
export interface Desk {
  application: Application;
  job: Job;
  company?: Company | undefined;
}

export const deskOf = ({ jobId, applicantId }: Subject) => ({
  application: applicationOf(jobId, applicantId),
  job: jobOf(jobId),
});

/** Returns true if the actor may do this with the notes on the application. */
export function mayWithNotes(
  { application, company }: Desk,
  { jobId }: Subject,
  actor: ActorOrSystem,
  right: 'readNotes' | 'writeNotes' | 'manageNotes',
): boolean {
  if (application.status === 'none') return false;
  return mayIn(company, right, actor, { jobId, assigneeId: application.assigneeId });
}

/**
 * Throws APPLICATION_NOT_FOUND unless the actor may read the notes on an application. Nobody else learns that there are
 * any: neither the applicant nor other companies.
 */
export function requireNotes(desk: Desk, subject: Subject, actor: ActorOrSystem): void {
  const { application } = desk;
  ensure(
    application.status !== 'none' && application.subject.applicationId === subject.applicationId,
    'APPLICATION_NOT_FOUND',
  );
  ensure(mayWithNotes(desk, subject, actor, 'readNotes'), 'APPLICATION_NOT_FOUND');
}

/** Resolves with what decides about an actor and the notes on an application, and the position up to which that is known. */
export async function loadDesk(
  load: Load,
  subject: Subject,
  actor: ActorOrSystem,
): Promise<Desk & { position: Position }> {
  const { application, job } = deskOf(subject);
  const [applied, posted] = await Promise.all([load(application), load(job)]);
  const { company } = companyOfJob({ job: posted.state }, subject, actor);
  const found = company && (await load(company));
  return {
    ...{ application: applied.state, job: posted.state, company: found?.state },
    position: Math.max(applied.position, posted.position, found?.position ?? 0),
  };
}
