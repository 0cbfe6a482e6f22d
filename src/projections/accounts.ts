import type { EventOf } from '../events/domain-event.ts';
import type { Recorded } from '../events/event-store.ts';
import { plain, quoted } from './columns.ts';
import type { Projection, Statement } from './projection.ts';

type Registered = Recorded<EventOf<'AccountRegistered'>>;
type Changed = Recorded<EventOf<'ProfileChanged'>>;

const register = (events: Registered[]): Statement => ({
  name: 'register',
  text: `
    insert into accounts (user_id, role, display_name, registered_at, revision)
    select * from unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::bigint[])
    on conflict do nothing`,
  values: [
    plain(events.map(({ data }) => data.userId)),
    plain(events.map(({ data }) => data.role)),
    quoted(events.map(({ data }) => data.displayName)),
    plain(events.map(({ occurredAt }) => occurredAt)),
    plain(events.map(({ revision }) => revision)),
  ],
});

const change = (events: Changed[]): Statement => ({
  name: 'change',
  text: `
    update accounts a set display_name = b.display_name, revision = b.revision
    from unnest($1::uuid[], $2::text[], $3::bigint[]) b (user_id, display_name, revision)
    where a.user_id = b.user_id and a.revision < b.revision`,
  values: [
    plain(events.map(({ data }) => data.userId)),
    quoted(events.map(({ data }) => data.displayName)),
    plain(events.map(({ revision }) => revision)),
  ],
});

/** Who is there, and by which name. */
export const accounts: Projection<'AccountRegistered' | 'ProfileChanged'> = {
  name: 'accounts',
  version: 1,
  tables: `
    create table accounts (
      user_id uuid primary key,
      role text not null,
      display_name text not null,
      registered_at timestamptz not null,
      revision bigint not null
    )`,
  indexes: '',
  handles: ['AccountRegistered', 'ProfileChanged'],
  project: (events) => {
    const registered: Registered[] = [];
    const changed = new Map<string, Changed>();
    for (const event of events) {
      if (event.type === 'AccountRegistered') registered.push(event);
      else changed.set(event.data.userId, event);
    }
    return [
      ...(registered.length > 0 ? [register(registered)] : []),
      ...(changed.size > 0 ? [change([...changed.values()])] : []),
    ];
  },
};
