import { type ApplicationStatus, applicationEvents } from '../events/application.ts';
import type { EventOf } from '../events/domain-event.ts';
import type { Recorded } from '../events/event-store.ts';
import { plain, quoted } from './columns.ts';
import { type Statement, defineProjection, typesOf } from './projection.ts';

type Resubmitted = Recorded<EventOf<'ApplicationResubmitted'>>;
type Submitted = Recorded<EventOf<'ApplicationSubmitted'>>;
type Moved = Recorded<
  EventOf<
    'ApplicationWithdrawn' | 'ApplicationResubmitted' | 'ApplicationStatusChanged' | 'ApplicationReconsidered'
  >
>;

const submit = (events: Submitted[]): Statement => ({
  name: 'submit',
  text: `
    insert into applications
      (application_id, job_id, group_id, applicant_id, cover_letter, submitted_at, position, revision, status)
    select b.*, 'submitted' from unnest(
      $1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::timestamptz[], $7::bigint[], $8::bigint[]) b
    on conflict do nothing`,
  values: [
    plain(events.map(({ data }) => data.applicationId)),
    plain(events.map(({ data }) => data.jobId)),
    plain(events.map(({ data }) => data.groupId)),
    plain(events.map(({ data }) => data.applicantId)),
    quoted(events.map(({ data }) => data.coverLetter)),
    plain(events.map(({ occurredAt }) => occurredAt)),
    plain(events.map(({ position }) => position)),
    plain(events.map(({ revision }) => revision)),
  ],
});

/** Where an event brings an application. */
function standing(event: Moved): { status: ApplicationStatus; reason: string | null } {
  if (event.type === 'ApplicationWithdrawn') return { status: 'withdrawn', reason: null };
  if (event.type === 'ApplicationResubmitted') return { status: 'submitted', reason: null };
  return event.data;
}

const move = (events: Moved[]): Statement => ({
  name: 'move',
  text: `
    update applications a set status = b.status, reason = b.reason, revision = b.revision
    from unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[]) b (application_id, status, reason, revision)
    where a.application_id = b.application_id and a.revision < b.revision`,
  values: [
    plain(events.map(({ data }) => data.applicationId)),
    plain(events.map((event) => standing(event).status)),
    quoted(events.map((event) => standing(event).reason)),
    plain(events.map(({ revision }) => revision)),
  ],
});

/** The letter that came with the last application. Runs before `move`, which raises the revision. */
const rewrite = (events: Resubmitted[]): Statement => ({
  name: 'rewrite',
  text: `
    update applications a set cover_letter = b.cover_letter
    from unnest($1::uuid[], $2::text[], $3::bigint[]) b (application_id, cover_letter, revision)
    where a.application_id = b.application_id and a.revision < b.revision`,
  values: [
    plain(events.map(({ data }) => data.applicationId)),
    quoted(events.map(({ data }) => data.coverLetter)),
    plain(events.map(({ revision }) => revision)),
  ],
});

/** Who applied for what, and how far it went. */
export const applications = defineProjection({
  name: 'applications',
  version: 2,
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
      submitted_at timestamptz not null,
      position bigint not null,
      revision bigint not null
    )`,
  indexes: `
    create index applications_of_applicant on applications (applicant_id, position);
    create index applications_for_job on applications (job_id, position)`,
  handles: typesOf(applicationEvents),
  project: (events) => {
    const submitted: Submitted[] = [];
    const moved = new Map<string, Moved>();
    const resubmitted = new Map<string, Resubmitted>();
    for (const event of events) {
      if (event.type === 'ApplicationSubmitted') submitted.push(event);
      else moved.set(event.data.applicationId, event);
      if (event.type === 'ApplicationResubmitted') resubmitted.set(event.data.applicationId, event);
    }
    return [
      ...(submitted.length > 0 ? [submit(submitted)] : []),
      ...(resubmitted.size > 0 ? [rewrite([...resubmitted.values()])] : []),
      ...(moved.size > 0 ? [move([...moved.values()])] : []),
    ];
  },
});
