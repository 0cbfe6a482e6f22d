import { type EventType, eventSchemas } from '../events/domain-event.ts';
import type { Recorded } from '../events/event-store.ts';
import { UNKNOWN } from '../events/stored-events.ts';
import { column, statementAbout } from './columns.ts';
import { defineProjection, typesOf } from './projection.ts';

const index = statementAbout<Recorded>({
  name: 'index',
  columns: {
    id: column.uuid(({ id }) => id),
    stream: column.text(({ stream }) => stream),
    revision: column.bigint(({ revision }) => revision),
    position: column.bigint(({ position }) => position),
  },
  text: ({ names, batch }) => `
    insert into event_ids (${names})
    select * from ${batch}
    on conflict do nothing`,
});

/** The place of each event by its id. A log on EventStoreDB needs it to recognize repeated appends for ever. */
export const eventIds = defineProjection({
  name: 'event_ids',
  version: 1,
  tables: `
    create table event_ids (
      id uuid primary key,
      stream text not null,
      revision bigint not null,
      position bigint not null
    )`,
  indexes: '',
  // Includes events that newer code wrote: their ids must not be used twice either.
  handles: [...typesOf(eventSchemas), UNKNOWN as EventType],
  // Processes remember the ids of the last seconds themselves.
  lingerMs: 100,
  project: index,
});
