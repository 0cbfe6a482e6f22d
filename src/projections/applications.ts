import { applicationEvents } from '../events/application.ts';
import type { EventOf } from '../events/domain-event.ts';
import type { Recorded } from '../events/event-store.ts';
import { column, statementAbout } from './columns.ts';
import { defineProjection, typesOf } from './projection.ts';
import { type Decision, standing } from './threads.ts';

type Resubmitted = Recorded<EventOf<'ApplicationResubmitted'>>;
type Assigned = Recorded<EventOf<'ApplicationAssigned'>>;
type Submitted = Recorded<EventOf<'ApplicationSubmitted'>>;

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

/** The applications and their status. */
export const applications = defineProjection({
  name: 'applications',
  version: 4,
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
    )`,
  indexes: `
    create index applications_of_applicant on applications (applicant_id, position);
    create index applications_for_job on applications (job_id, position);
    create index applications_with_threads on applications (thread_closes_at) where thread_closes_at is not null`,
  handles: typesOf(applicationEvents),
  project: (events) => {
    const submitted: Submitted[] = [];
    const moved = new Map<string, Decision>();
    const assigned = new Map<string, Assigned>();
    const resubmitted = new Map<string, Resubmitted>();
    for (const event of events) {
      if (event.type === 'ApplicationSubmitted') submitted.push(event);
      else if (event.type === 'ApplicationAssigned') assigned.set(event.data.applicationId, event);
      else moved.set(event.data.applicationId, event);
      if (event.type === 'ApplicationResubmitted') resubmitted.set(event.data.applicationId, event);
    }
    return [
      ...submit(submitted),
      ...rewrite([...resubmitted.values()]),
      ...move([...moved.values()]),
      ...assign([...assigned.values()]),
    ];
  },
});
