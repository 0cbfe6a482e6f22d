import type { ApplicationStatus } from '../events/application.ts';
import type { EventOf } from '../events/domain-event.ts';
import type { Recorded } from '../events/event-store.ts';
import { ownerOf } from './chat-groups.ts';
import { column, statementAbout } from './columns.ts';

/** The types of events that change the status of an application. */
export const decisionTypes = [
  'ApplicationWithdrawn',
  'ApplicationResubmitted',
  'ApplicationStatusChanged',
  'ApplicationReconsidered',
] as const;
export type Decision = Recorded<EventOf<(typeof decisionTypes)[number]>>;

const DECISIONS: ReadonlySet<string> = new Set(decisionTypes);
export const isDecision = (event: Recorded): event is Decision => DECISIONS.has(event.type);

/** Returns the status of an application after an event, and the reason for it. */
export function standing(event: Decision): { status: ApplicationStatus; reason: string | null } {
  if (event.type === 'ApplicationWithdrawn') return { status: 'withdrawn', reason: null };
  if (event.type === 'ApplicationResubmitted') return { status: 'submitted', reason: null };
  return event.data;
}

/** Returns the statements that store new threads. Lists of threads are read in the order of their activity. */
export const openThreads = statementAbout<Recorded<EventOf<'ChatGroupCreated'>>>({
  name: 'open-threads',
  columns: {
    group_id: column.uuid(({ data }) => data.groupId),
    job_id: column.uuid(({ data }) => data.jobId),
    owner_id: column.uuid(({ data }) => ownerOf(data)),
    application_id: column.uuid(({ data }) => data.applicationId ?? null),
    applicant_id: column.uuid(({ data }) => data.applicantId ?? null),
    activity: column.bigint(({ position }) => position),
  },
  text: ({ names, batch }) => `
    insert into threads (${names}, status, status_revision, last_seq, moved)
    select b.*, 'submitted', 0, 0, b.activity from ${batch}
    on conflict do nothing`,
});

export type Assigned = Recorded<EventOf<'ThreadAssigned'>>;

/** Returns the statements that store whom threads are assigned to. */
export const assignThreads = statementAbout<Assigned>({
  name: 'assign-threads',
  columns: {
    group_id: column.uuid(({ data }) => data.groupId),
    assignee_id: column.uuid(({ data }) => data.assigneeId),
    assigned_roster: column.bigint(({ revision }) => revision),
  },
  text: ({ batch }) => `
    update threads t set assignee_id = b.assignee_id, assigned_roster = b.assigned_roster
    from ${batch}
    where t.group_id = b.group_id and t.assigned_roster < b.assigned_roster`,
});

/** Returns the statements that store what became of private applications. */
export const decide = statementAbout<Decision>({
  name: 'decide',
  columns: {
    group_id: column.uuid(({ data }) => data.groupId),
    status: column.word((event) => standing(event).status),
    status_revision: column.bigint(({ revision }) => revision),
  },
  text: ({ batch }) => `
    update threads t set status = b.status, status_revision = b.status_revision
    from ${batch}
    where t.group_id = b.group_id and t.status_revision < b.status_revision`,
});
