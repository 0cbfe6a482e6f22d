import { type EventType, eventSchemas } from '../events/domain-event.ts';
import { UNKNOWN } from '../events/stored-events.ts';
import { plain, quoted } from './columns.ts';
import { defineProjection, typesOf } from './projection.ts';

/** Where each event is, by its id: what a log on EventStoreDB needs so that a repeated append is known for ever. */
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
  // Also what newer code wrote: its ids must not be taken twice either.
  handles: [...typesOf(eventSchemas), UNKNOWN as EventType],
  project: (events) => [
    {
      name: 'index',
      text: `
        insert into event_ids
        select * from unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[])
        on conflict do nothing`,
      values: [
        plain(events.map(({ id }) => id)),
        quoted(events.map(({ stream }) => stream)),
        plain(events.map(({ revision }) => revision)),
        plain(events.map(({ position }) => position)),
      ],
    },
  ],
});
