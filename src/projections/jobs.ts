import type { EventOf } from '../events/domain-event.ts';
import type { Recorded } from '../events/event-store.ts';
import { jobEvents } from '../events/job.ts';
import { termsOf } from '../search/terms.ts';
import { plain, quoted } from './columns.ts';
import { type Statement, defineProjection, typesOf } from './projection.ts';

type Posted = Recorded<EventOf<'JobPosted'>>;
type Changed = Recorded<EventOf<'JobDetailsChanged'>>;
type Closed = Recorded<EventOf<'JobClosed'>>;

const details = (events: (Posted | Changed)[]) => [
  plain(events.map(({ data }) => data.jobId)),
  quoted(events.map(({ data }) => data.title)),
  quoted(events.map(({ data }) => data.description)),
  quoted(events.map(({ data }) => data.location)),
  plain(events.map(({ revision }) => revision)),
  plain(events.map(({ data }) => termsOf([data.title, data.description, data.location ?? ''].join('\n')))),
];

const post = (events: Posted[]): Statement => ({
  name: 'post',
  text: `
    insert into jobs
      (job_id, title, description, location, revision, terms, group_id, company_id, posted_at, position, status)
    select b.*, 'open' from unnest(
      $1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::tsvector[],
      $7::uuid[], $8::uuid[], $9::timestamptz[], $10::bigint[]) b
    on conflict do nothing`,
  values: [
    ...details(events),
    plain(events.map(({ data }) => data.groupId)),
    plain(events.map(({ data }) => data.companyId)),
    plain(events.map(({ occurredAt }) => occurredAt)),
    plain(events.map(({ position }) => position)),
  ],
});

const change = (events: Changed[]): Statement => ({
  name: 'change',
  text: `
    update jobs j
    set title = b.title, description = b.description, location = b.location, terms = b.terms,
      revision = b.revision
    from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::tsvector[])
      b (job_id, title, description, location, revision, terms)
    where j.job_id = b.job_id and j.revision < b.revision`,
  values: details(events),
});

const close = (events: Closed[]): Statement => ({
  name: 'close',
  text: `update jobs set status = 'closed' where job_id = any ($1::uuid[]) and status <> 'closed'`,
  values: [plain(events.map(({ data }) => data.jobId))],
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
    return [
      ...(posted.length > 0 ? [post(posted)] : []),
      ...(changed.size > 0 ? [change([...changed.values()])] : []),
      ...(closed.length > 0 ? [close(closed)] : []),
    ];
  },
});
