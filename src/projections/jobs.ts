import type { EventOf } from '../events/domain-event.ts';
import type { Recorded } from '../events/event-store.ts';
import { jobEvents } from '../events/job.ts';
import { termsOf } from '../search/terms.ts';
import { type Column, column, statementAbout } from './columns.ts';
import { defineProjection, typesOf } from './projection.ts';

type Posted = Recorded<EventOf<'JobPosted'>>;
type Changed = Recorded<EventOf<'JobDetailsChanged'>>;
type Closed = Recorded<EventOf<'JobClosed'>>;

/** The columns that every posting and change of a job sets. */
const details: Record<string, Column<Posted | Changed>> = {
  job_id: column.uuid(({ data }) => data.jobId),
  title: column.text(({ data }) => data.title),
  description: column.text(({ data }) => data.description),
  location: column.text(({ data }) => data.location),
  revision: column.bigint(({ revision }) => revision),
  terms: column.tsvector(({ data }) =>
    termsOf([data.title, data.description, data.location ?? ''].join('\n')),
  ),
};

const post = statementAbout<Posted>({
  name: 'post',
  columns: {
    ...details,
    group_id: column.uuid(({ data }) => data.groupId),
    company_id: column.uuid(({ data }) => data.companyId),
    posted_at: column.timestamptz(({ occurredAt }) => occurredAt),
    position: column.bigint(({ position }) => position),
  },
  text: ({ names, batch }) => `
    insert into jobs (${names}, status)
    select b.*, 'open' from ${batch}
    on conflict do nothing`,
});

const change = statementAbout<Changed>({
  name: 'change',
  columns: details,
  text: ({ batch }) => `
    update jobs j
    set title = b.title, description = b.description, location = b.location, terms = b.terms,
      revision = b.revision
    from ${batch}
    where j.job_id = b.job_id and j.revision < b.revision`,
});

const close = statementAbout<Closed>({
  name: 'close',
  columns: { job_id: column.uuid(({ data }) => data.jobId) },
  text: () => `update jobs set status = 'closed' where job_id = any ($1::uuid[]) and status <> 'closed'`,
});

/** The jobs on the board. */
export const jobs = defineProjection({
  name: 'jobs',
  version: 3,
  tables: `
    create table jobs (
      job_id uuid primary key,
      group_id uuid not null,
      company_id uuid not null,
      title text not null,
      description text not null,
      location text,
      -- What it is found by; null where there is no word in it.
      terms tsvector,
      status text not null,
      posted_at timestamptz not null,
      position bigint not null,
      -- Of the last change to the details.
      revision bigint not null
    )`,
  indexes: `
    create unique index jobs_newest on jobs (position);
    create index jobs_newest_of_status on jobs (status, position);
    -- Jobs are long and few: each is sorted in when it is written, so that no search finds thousands still waiting.
    create index jobs_by_text on jobs using gin (public.search_stretches(position), terms) with (fastupdate = off)`,
  handles: typesOf(jobEvents),
  project: (events) => {
    const posted: Posted[] = [];
    const changed = new Map<string, Changed>();
    const closed: Closed[] = [];
    for (const event of events) {
      if (event.type === 'JobPosted') posted.push(event);
      else if (event.type === 'JobDetailsChanged') changed.set(event.data.jobId, event);
      else closed.push(event);
    }
    return [...post(posted), ...change([...changed.values()]), ...close(closed)];
  },
});
