import { applicationEvents } from '../events/application.ts';
import type { EventOf } from '../events/domain-event.ts';
import type { Recorded } from '../events/event-store.ts';
import { noteEvents } from '../events/note.ts';
import { column, statementAbout } from './columns.ts';
import { defineProjection, typesOf } from './projection.ts';
import { type Decision, standing } from './threads.ts';

type Resubmitted = Recorded<EventOf<'ApplicationResubmitted'>>;
type Assigned = Recorded<EventOf<'ApplicationAssigned'>>;
type Submitted = Recorded<EventOf<'ApplicationSubmitted'>>;
type NoteAdded = Recorded<EventOf<'NoteAdded'>>;
type NoteDeleted = Recorded<EventOf<'NoteDeleted'>>;

const submit = statementAbout<Submitted>({
  name: 'submit',
  columns: {
    application_id: column.uuid(({ data }) => data.applicationId),
    job_id: column.uuid(({ data }) => data.jobId),
    group_id: column.uuid(({ data }) => data.groupId),
    applicant_id: column.uuid(({ data }) => data.applicantId),
    cover_letter: column.text(({ data }) => data.coverLetter),
    submitted_at: column.timestamptz(({ occurredAt }) => occurredAt),
    position: column.bigint(({ position }) => position),
    revision: column.bigint(({ revision }) => revision),
  },
  text: ({ names, batch }) => `
    insert into applications (${names}, status)
    select b.*, 'submitted' from ${batch}
    on conflict do nothing`,
});

const move = statementAbout<Decision>({
  name: 'move',
  columns: {
    application_id: column.uuid(({ data }) => data.applicationId),
    status: column.word((event) => standing(event).status),
    reason: column.text((event) => standing(event).reason),
    thread_closes_at: column.timestamptz(({ data }) =>
      'threadClosesAt' in data ? (data.threadClosesAt ?? null) : null,
    ),
    revision: column.bigint(({ revision }) => revision),
  },
  text: ({ batch }) => `
    update applications a
    set status = b.status, reason = b.reason, thread_closes_at = b.thread_closes_at, revision = b.revision
    from ${batch}
    where a.application_id = b.application_id and a.revision < b.revision`,
});

/** Stores the letter of the last application. Runs before `move`, which raises the revision. */
const rewrite = statementAbout<Resubmitted>({
  name: 'rewrite',
  columns: {
    application_id: column.uuid(({ data }) => data.applicationId),
    cover_letter: column.text(({ data }) => data.coverLetter),
    revision: column.bigint(({ revision }) => revision),
  },
  text: ({ batch }) => `
    update applications a set cover_letter = b.cover_letter
    from ${batch}
    where a.application_id = b.application_id and a.revision < b.revision`,
});

const assign = statementAbout<Assigned>({
  name: 'assign',
  columns: {
    application_id: column.uuid(({ data }) => data.applicationId),
    assignee_id: column.uuid(({ data }) => data.assigneeId),
    revision: column.bigint(({ revision }) => revision),
  },
  text: ({ batch }) => `
    update applications a set assignee_id = b.assignee_id, assigned_revision = b.revision
    from ${batch}
    where a.application_id = b.application_id and a.assigned_revision < b.revision`,
});

const note = statementAbout<NoteAdded>({
  name: 'note',
  columns: {
    note_id: column.uuid(({ data }) => data.noteId),
    application_id: column.uuid(({ data }) => data.applicationId),
    applicant_id: column.uuid(({ data }) => data.applicantId),
    author_id: column.uuid(({ data }) => data.authorId),
    seq: column.bigint(({ revision }) => revision + 1),
    text: column.text(({ data }) => data.text),
    added_at: column.timestamptz(({ occurredAt }) => occurredAt),
  },
  text: ({ names, batch }) => `
    insert into notes (${names}, changed_seq)
    select b.*, b.seq from ${batch}
    on conflict do nothing`,
});

const deleteNotes = statementAbout<NoteDeleted>({
  name: 'delete-notes',
  columns: {
    note_id: column.uuid(({ data }) => data.noteId),
    seq: column.bigint(({ revision }) => revision + 1),
    deleted_at: column.timestamptz(({ occurredAt }) => occurredAt),
  },
  text: ({ batch }) => `
    update notes n set text = null, deleted_at = b.deleted_at, changed_seq = b.seq
    from ${batch}
    where n.note_id = b.note_id and n.deleted_at is null`,
});

/** The applications with their status, and the notes on them. */
export const applications = defineProjection({
  name: 'applications',
  version: 5,
  tables: `
    create table applications (
      application_id uuid primary key,
      job_id uuid not null,
      group_id uuid not null,
      applicant_id uuid not null,
      status text not null,
      -- Of the last change of status.
      reason text,
      cover_letter text,
      -- When the thread of a decided application closes.
      thread_closes_at timestamptz,
      submitted_at timestamptz not null,
      position bigint not null,
      revision bigint not null,
      -- Who of the company sees to it, and the stream's version that this is as of.
      assignee_id uuid,
      assigned_revision bigint not null default 0
    );
    create table notes (
      note_id uuid primary key,
      application_id uuid not null,
      -- Whom it is about, and whose erasure takes the text.
      applicant_id uuid not null,
      author_id uuid not null,
      seq bigint not null,
      text text,
      added_at timestamptz not null,
      deleted_at timestamptz,
      -- The seq of the last event that touched the note.
      changed_seq bigint not null
    )`,
  indexes: `
    create index applications_of_applicant on applications (applicant_id, position);
    create index applications_for_job on applications (job_id, position);
    create index applications_with_threads on applications (thread_closes_at) where thread_closes_at is not null;
    create unique index notes_in_order on notes (application_id, seq);
    create index notes_about on notes (applicant_id)`,
  handles: [...typesOf(applicationEvents), ...typesOf(noteEvents)],
  project: (events) => {
    const submitted: Submitted[] = [];
    const moved = new Map<string, Decision>();
    const assigned = new Map<string, Assigned>();
    const resubmitted = new Map<string, Resubmitted>();
    const [noted, notesDeleted]: [NoteAdded[], NoteDeleted[]] = [[], []];
    for (const event of events) {
      if (event.type === 'NoteAdded') noted.push(event);
      else if (event.type === 'NoteDeleted') notesDeleted.push(event);
      else if (event.type === 'ApplicationSubmitted') submitted.push(event);
      else if (event.type === 'ApplicationAssigned') assigned.set(event.data.applicationId, event);
      else moved.set(event.data.applicationId, event);
      if (event.type === 'ApplicationResubmitted') resubmitted.set(event.data.applicationId, event);
    }
    return [
      ...submit(submitted),
      ...rewrite([...resubmitted.values()]),
      ...move([...moved.values()]),
      ...assign([...assigned.values()]),
      ...note(noted),
      ...deleteNotes(notesDeleted),
    ];
  },
});
