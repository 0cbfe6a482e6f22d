import type { EventOf } from '../events/domain-event.ts';
import type { Recorded } from '../events/event-store.ts';
import { jobEvents } from '../events/job.ts';
import { termsOf } from '../search/terms.ts';
import { type Column, column, statementAbout } from './columns.ts';
import { defineProjection, typesOf } from './projection.ts';

type Posted = Recorded<EventOf<'JobPosted'>>;
type Changed = Recorded<EventOf<'JobDetailsChanged'>>;
type Closed = Recorded<EventOf<'JobClosed'>>;
type ChatChanged = Recorded<EventOf<'JobConversationsChanged'>>;

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
    conversations: column.word(({ data }) => data.conversations ?? 'group'),
    history_from: column.word(({ data }) => data.historyFrom ?? 'start'),
    position: column.bigint(({ position }) => position),
  },
  text: ({ names, batch }) => `
    insert into jobs (${names}, status, chat_revision)
    select b.*, 'open', 0 from ${batch}
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
  columns: {
    job_id: column.uuid(({ data }) => data.jobId),
    rooms_close_at: column.timestamptz(({ data }) => data.roomsCloseAt ?? null),
  },
  text: ({ batch }) => `
    update jobs j set status = 'closed', rooms_close_at = b.rooms_close_at
    from ${batch}
    where j.job_id = b.job_id and j.status <> 'closed'`,
});

const changeChat = statementAbout<ChatChanged>({
  name: 'change-chat',
  columns: {
    job_id: column.uuid(({ data }) => data.jobId),
    conversations: column.word(({ data }) => data.conversations),
    history_from: column.word(({ data }) => data.historyFrom),
    chat_revision: column.bigint(({ revision }) => revision),
  },
  text: ({ batch }) => `
    update jobs j
    set conversations = b.conversations, history_from = b.history_from, chat_revision = b.chat_revision
    from ${batch}
    where j.job_id = b.job_id and j.chat_revision < b.chat_revision`,
});

/** The jobs on the board. */
export const jobs = defineProjection({
  name: 'jobs',
  version: 5,
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
      conversations text not null,
      history_from text not null,
      -- Of the last change to the two.
      chat_revision bigint not null,
      -- When the rooms of a closed job close; null where they closed with it.
      rooms_close_at timestamptz,
      posted_at timestamptz not null,
      position bigint not null,
      -- Of the last change to the details.
      revision bigint not null
    )`,
  indexes: `
    create unique index jobs_newest on jobs (position);
    create index jobs_newest_of_status on jobs (status, position);
    create index jobs_of_company on jobs (company_id, position);
    create index jobs_with_rooms on jobs (rooms_close_at) where rooms_close_at is not null;
    -- Jobs are long and few: each is sorted in when it is written, so that no search finds thousands still waiting.
    create index jobs_by_text on jobs using gin (public.search_stretches(position), terms) with (fastupdate = off)`,
  handles: typesOf(jobEvents),
  project: (events) => {
    const posted: Posted[] = [];
    const changed = new Map<string, Changed>();
    const closed: Closed[] = [];
    const chats = new Map<string, ChatChanged>();
    for (const event of events) {
      if (event.type === 'JobPosted') posted.push(event);
      else if (event.type === 'JobDetailsChanged') changed.set(event.data.jobId, event);
      else if (event.type === 'JobConversationsChanged') chats.set(event.data.jobId, event);
      else if (event.type === 'JobClosed') closed.push(event);
    }
    return [
      ...post(posted),
      ...change([...changed.values()]),
      ...changeChat([...chats.values()]),
      ...close(closed),
    ];
  },
});
